import { isatty } from 'node:tty';
import { type DestinationStream, type LoggerOptions, pino, stdSerializers, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { LogOutput } from './log-output.ts';

/** What the rest of nearcache may do with a log. Shape: `fields` first, then one sentence that has no values in
 *  it, so that equal events have equal messages. Cost: microseconds a line; never called per command. */
export interface Logger {
  error: LogLine;
  warn: LogLine;
  info: LogLine;
  debug: LogLine;
  /** A logger that adds `fields` to each of its lines. */
  child(fields: LogFields): Logger;
}

/** Write one line, if its level is logged. */
export interface LogLine {
  (fields: LogFields, message: string): void;
  (message: string): void;
}

/** The closed list of field names: the words of the glossary, units last, never a key or a value of the app. */
export interface LogFields {
  readonly shard?: string;
  readonly sessionId?: number;
  readonly identity?: string;
  readonly generation?: number;
  readonly address?: string;
  readonly state?: string;
  readonly reason?: string;
  readonly command?: string;
  readonly signal?: string;
  readonly version?: string;
  readonly count?: number;
  readonly durationMs?: number;
  readonly bytes?: number;
  readonly error?: unknown;
}

/** pino's levels, and `silent`. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** auto = pretty on a terminal, else json. */
export type LogFormat = 'auto' | 'json' | 'pretty';

const STDOUT = 1;
// Any URL in any text of a line: an error's message may quote the upstream. It stops at a quote, which ends the
// JSON string that the URL is in.
const URL_CREDENTIALS = /(\w:\/\/)[^/@\s"]*@/g;
const URL_SECRET = /([?&]sentinelPassword=)[^&,\s"]*/g;

/** Make the root logger. Shape: `destination` takes whole lines; stdout when absent. Passwords, also those inside
 *  URLs, are replaced. */
export function createLogger(options: {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly destination?: DestinationStream;
}): Logger {
  const { level, format, destination } = options;
  const isTerminal = destination === undefined && isatty(STDOUT);
  const settings: LoggerOptions = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { error: stdSerializers.err },
    redact: { paths: secretPaths(['password', 'upstreamPassword', 'sentinelPassword']), censor: '[secret]' },
    hooks: {
      streamWrite: (line) =>
        line.replaceAll(URL_CREDENTIALS, '$1[secret]@').replaceAll(URL_SECRET, '$1[secret]'),
    },
  };
  const output =
    destination ??
    new LogOutput(STDOUT, (count) => {
      logger.warn({ count }, 'lines of this log were dropped, since nobody read it for a while');
    });
  const isJson = format === 'json' || (format === 'auto' && !isTerminal);
  const logger = pino(settings, isJson ? output : prettyOutput(output, isTerminal));
  return logger;
}

function prettyOutput(output: DestinationStream, colorize: boolean): DestinationStream {
  const prettify = prettyFactory({ colorize, singleLine: true, errorLikeObjectKeys: ['error'] });
  return { write: (line) => output.write(prettify(line)) };
}

function secretPaths(names: readonly string[]): string[] {
  return names.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
}
