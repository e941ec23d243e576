export * from '../../src/drill/servers/free-port.ts';
