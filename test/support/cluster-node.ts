export * from '../../src/drill/servers/cluster-node.ts';
