export * from '../../src/drill/servers/relay.ts';
