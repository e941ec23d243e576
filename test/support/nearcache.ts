export * from '../../src/drill/servers/nearcache-process.ts';
