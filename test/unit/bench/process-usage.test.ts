import { expect, test } from 'vitest';

import {
  cpuSeconds,
  machineBusySeconds,
  parseMachineBusy,
  parseMachineStolen,
  parseProcessCpu,
  parseSchedstat,
  residentBytes,
  threadCpuSeconds,
} from '../../../bench/process-usage.ts';

test('CPU time is user and system time, whatever the process is called', () => {
  const stat = '42 (a) b (c)) S 1 1 1 0 -1 4194560 100 0 0 0 250 150 7 7 20 0 1 0 100 0 0';
  expect(parseProcessCpu(stat)).toBe(4);
});

test('the finer count is the time on a core', () => {
  expect(parseSchedstat('1500000000 42 7\n')).toBe(1.5);
});

test('busy time is all but idle, waiting and interrupts', () => {
  expect(parseMachineBusy('cpu  100 10 200 9000 900 30 40 50 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n')).toBe(3.6);
  expect(parseMachineStolen('cpu  100 10 200 9000 900 30 40 50 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n')).toBe(0.5);
});

test('this process has used memory and CPU, and more after work', () => {
  expect(residentBytes(process.pid)).toBeGreaterThan(10 * 2 ** 20);
  const [own, all] = [cpuSeconds(process.pid), machineBusySeconds()];
  const threads = threadCpuSeconds(process.pid);
  const until = performance.now() + 10_000;
  while (cpuSeconds(process.pid) < own + 0.03 && performance.now() < until) JSON.stringify(process.versions);
  expect(cpuSeconds(process.pid)).toBeGreaterThanOrEqual(own + 0.03);
  expect(threadCpuSeconds(process.pid)).toBeGreaterThan(threads + 0.01);
  expect(machineBusySeconds()).toBeGreaterThan(all);
});
