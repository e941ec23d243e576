export * from '../../src/drill/servers/at-exit.ts';
