export * from '../../src/drill/servers/redis-call.ts';
