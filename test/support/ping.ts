export * from '../../src/drill/servers/ping.ts';
