export * from '../../src/drill/servers/redis-process.ts';
