import { breakerUsage, parseBreaker } from './breaker/breaker-options.ts';
import { UsageError } from './flags.ts';
import { parseLatency, parseMixed, parseThroughput, usage } from './options.ts';
import { offendersUsage, parseOffenders } from './offenders/offenders-options.ts';
import { parsePause, pauseUsage } from './pause/pause-options.ts';
import { parseRing, ringUsage } from './ring/ring-options.ts';
import { parseShards, shardsUsage } from './shards/shards-options.ts';
import { parseStorm, stormUsage } from './storm/storm-options.ts';
import { parseHitRatio, parseL1, parseMemory } from './storage-options.ts';

/** Exit codes: 0 done, 1 the gate failed or a benchmark broke, 2 a mistake on the command line. */
async function main([name, ...args]: readonly string[]): Promise<number> {
  const command = `npm run bench -- ${[name, ...args].join(' ')}`;
  switch (name) {
    case 'throughput': {
      const options = parseThroughput(args);
      const { throughput } = await import('./throughput.ts');
      return (await throughput(options, command)) ? 0 : 1;
    }
    case 'latency': {
      const options = parseLatency(args);
      const { latency } = await import('./latency.ts');
      return (await latency(options, command)) ? 0 : 1;
    }
    case 'mixed': {
      const options = parseMixed(args);
      const { mixed } = await import('./mixed.ts');
      return (await mixed(options, command)) ? 0 : 1;
    }
    case 'hit-ratio': {
      const options = parseHitRatio(args);
      const { hitRatio } = await import('./hit-ratio.ts');
      return hitRatio(options, command) ? 0 : 1;
    }
    case 'memory': {
      const options = parseMemory(args);
      const { memory } = await import('./memory.ts');
      return (await memory(options, command)) ? 0 : 1;
    }
    case 'l1': {
      const options = parseL1(args);
      const { l1 } = await import('./l1.ts');
      return (await l1(options, command)) ? 0 : 1;
    }
    case 'ring': {
      const options = parseRing(args);
      const { ring } = await import('./ring.ts');
      return (await ring(options, command)) ? 0 : 1;
    }
    case 'shards': {
      const options = parseShards(args);
      const { shards } = await import('./shards.ts');
      return (await shards(options, command)) ? 0 : 1;
    }
    case 'offenders': {
      const options = parseOffenders(args);
      const { offenders } = await import('./offenders.ts');
      return (await offenders(options, command)) ? 0 : 1;
    }
    case 'breaker': {
      const options = parseBreaker(args);
      const { breaker } = await import('./breaker.ts');
      return (await breaker(options, command)) ? 0 : 1;
    }
    case 'paused-shard': {
      const options = parsePause(args);
      const { pausedShard } = await import('./paused-shard.ts');
      return (await pausedShard(options, command)) ? 0 : 1;
    }
    case 'recovery-storm': {
      const options = parseStorm(args);
      const { recoveryStorm } = await import('./recovery-storm.ts');
      return (await recoveryStorm(options, command)) ? 0 : 1;
    }
    case 'help':
    case '--help':
      console.log(usage + ringUsage + shardsUsage + offendersUsage + pauseUsage + breakerUsage + stormUsage);
      return 0;
    default:
      throw new UsageError(name === undefined ? 'which benchmark?' : `no benchmark is called "${name}"`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(
    `${error.message}\n\n${usage}${ringUsage}${shardsUsage}${offendersUsage}${pauseUsage}${breakerUsage}${stormUsage}`,
  );
  process.exitCode = 2;
}
