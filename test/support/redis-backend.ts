export * from '../../src/drill/servers/redis-backend.ts';
