export * from '../../src/drill/servers/read-metrics.ts';
