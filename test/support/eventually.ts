export * from '../../src/drill/servers/eventually.ts';
