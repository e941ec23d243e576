import type { Strategy } from '../strategy.ts';
import { commandSequences } from './command-sequences.ts';
import { cutRequests } from './cut-requests.ts';
import { endlessPipelines } from './endless-pipelines.ts';
import { halfOpen } from './half-open.ts';
import { lyingLengths } from './lying-lengths.ts';
import { malformedRequests } from './malformed-requests.ts';
import { mutatedStreams } from './mutated-streams.ts';
import { randomBytes } from './random-bytes.ts';
import { shortConnections } from './short-connections.ts';
import { slowReaders } from './slow-readers.ts';

export const STRATEGIES: readonly Strategy[] = [
  randomBytes,
  mutatedStreams,
  lyingLengths,
  malformedRequests,
  commandSequences,
  endlessPipelines,
  slowReaders,
  halfOpen,
  shortConnections,
  cutRequests,
];
