// The long drive of resharding: `npm run reshard [keys]`, a million keys by default.

import { Drive } from './drive.ts';

const keys = Number(process.argv[2] ?? 1_000_000);
const rate = Math.max(500, Math.round(keys / 50));
const began = performance.now();
const say = (text: string): void =>
  console.log(`${((performance.now() - began) / 1000).toFixed(0)} s: ${text}`);
const drive = await Drive.start({ keys, nearcaches: 2, lanes: 8, rate, say });
try {
  const { commands, wrong, slowestMs, fastestRate, kills } = await drive.run();
  say(`${commands} commands of apps, ${wrong.length} wrong; longest wait ${slowestMs.toFixed(0)} ms`);
  say(
    `at most ${fastestRate.toFixed(0)} keys a second moved, ${rate} allowed; killed and resumed ${kills} times`,
  );
  for (const text of wrong.slice(0, 20)) console.log(text);
  if (wrong.length > 0 || fastestRate > rate * 1.1) process.exitCode = 1;
} catch (error) {
  console.error(error);
  for (const text of drive.ledger.wrong.slice(0, 20)) console.log(text);
  process.exitCode = 1;
} finally {
  await drive.stop();
}
