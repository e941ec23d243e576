import type { DrillRecord } from '../record.ts';

/** Did the run keep every promise? One that was judged by none did not. */
export function hasPassed({ verdicts }: Pick<DrillRecord, 'verdicts'>): boolean {
  return verdicts.length > 0 && verdicts.every(({ passed }) => passed);
}

/** All runs in one sentence, as `PASS: 14 scenarios, 96 promises kept`. */
export function overall(records: readonly DrillRecord[]): {
  readonly passed: boolean;
  readonly text: string;
} {
  const failed = records.filter((record) => !hasPassed(record));
  const verdicts = records.flatMap((record) => record.verdicts);
  const broken = verdicts.filter(({ passed }) => !passed).length;
  if (records.length === 0) return { passed: false, text: 'FAIL: no scenario was run' };
  if (failed.length === 0) {
    return {
      passed: true,
      text: `PASS: ${count(records.length, 'scenario')}, ${count(verdicts.length, 'promise')} kept`,
    };
  }
  const names = failed.map(({ scenario }) => scenario).join(', ');
  return {
    passed: false,
    text: `FAIL: ${failed.length} of ${count(records.length, 'scenario')} (${names}), ${broken} of ${count(verdicts.length, 'promise')} broken`,
  };
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}
