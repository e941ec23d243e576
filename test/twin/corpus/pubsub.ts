import { on, read, readAny, type Group } from '../script.ts';

export const pubsub: Group = {
  name: 'publish and subscribe',
  plain: {
    'PUBLISH and PUBSUB without subscribers': `
      PUBLISH nobody hello
      SPUBLISH nobody hello
      PUBSUB CHANNELS
      PUBSUB CHANNELS x*
      PUBSUB NUMSUB
      PUBSUB NUMSUB a b
      PUBSUB NUMPAT
      PUBSUB SHARDCHANNELS
      PUBSUB SHARDNUMSUB a
      PUBSUB SHARDNUMSUB
      PUBSUB HELP
      UNSUBSCRIBE
      UNSUBSCRIBE never
      PUNSUBSCRIBE
      SUNSUBSCRIBE
      GET str`,
  },
  scripts: {
    'SUBSCRIBE, messages and UNSUBSCRIBE': {
      steps: [
        on('a', 'SUBSCRIBE one two one', 3),
        on('b', 'PUBLISH one hello'),
        read('a'),
        on('b', 'PUBLISH two ""'),
        read('a'),
        on('b', 'PUBSUB CHANNELS'),
        on('b', 'PUBSUB NUMSUB one two three'),
        on('b', 'PUBLISH three nobody'),
        'UNSUBSCRIBE one',
        'UNSUBSCRIBE never',
        on('b', 'PUBLISH one unheard'),
        'UNSUBSCRIBE',
        'UNSUBSCRIBE',
        on('a', 'UNSUBSCRIBE x y', 2),
        'GET str',
        on('b', 'PUBSUB CHANNELS'),
      ],
    },
    'PSUBSCRIBE and messages that match twice': {
      steps: [
        on('a', 'PSUBSCRIBE n?ws.* n*', 2),
        on('a', 'SUBSCRIBE news.tech'),
        on('b', 'PUBLISH news.tech hello'),
        readAny('a', 3),
        on('b', 'PUBSUB NUMPAT'),
        'PUNSUBSCRIBE n*',
        on('b', 'PUBLISH news.tech again'),
        read('a', 2),
        'PUNSUBSCRIBE',
        'PUNSUBSCRIBE',
        'UNSUBSCRIBE',
        'GET str',
      ],
    },
    'sharded channels': {
      steps: [
        on('a', 'SSUBSCRIBE {sh}1 {sh}2', 2),
        'SSUBSCRIBE other',
        on('b', 'SPUBLISH {sh}1 hello'),
        read('a'),
        on('b', 'SPUBLISH other hello'),
        read('a'),
        on('b', 'PUBLISH {sh}1 unheard'),
        on('b', 'PUBSUB SHARDCHANNELS'),
        on('b', 'PUBSUB SHARDNUMSUB {sh}1 {sh}2 {sh}3'),
        'SUNSUBSCRIBE {sh}1',
        'SUNSUBSCRIBE other',
        'SUNSUBSCRIBE',
        'SUNSUBSCRIBE',
        'GET str',
      ],
    },
    'what a subscribed RESP2 connection may do': {
      protocols: [2],
      steps: [
        'SUBSCRIBE ch',
        'PING',
        'PING hello',
        'GET str',
        'SET str x',
        'MULTI',
        'EXEC',
        'SELECT 1',
        'CLIENT ID',
        'HELLO 3',
        'NOSUCH',
        'GET',
        'PSUBSCRIBE p*',
        'SSUBSCRIBE s',
        on('b', 'PUBLISH ch hello'),
        read('a'),
        'UNSUBSCRIBE',
        'GET str',
        'PUNSUBSCRIBE',
        'GET str',
        'SUNSUBSCRIBE',
        'GET str',
        'PING',
      ],
    },
    'what a subscribed RESP3 connection may do': {
      protocols: [3],
      steps: [
        'SUBSCRIBE ch',
        'PING',
        'PING hello',
        'GET str',
        'SET str x',
        'GET str',
        on('b', 'PUBLISH ch hello'),
        read('a'),
        'PUBLISH ch self',
        read('a'),
        { on: 'a', pipeline: ['GET str', 'GET missing', 'INCR num', 'GET str'] },
        'MULTI',
        'GET str',
        'EXEC',
        'SELECT 1',
        'GET str',
        'SELECT 0',
        'UNSUBSCRIBE',
        'GET str',
      ],
    },
    'RESET and QUIT end a subscription': {
      noPing: true,
      steps: [
        'SUBSCRIBE ch',
        'RESET',
        'GET str',
        on('b', 'PUBLISH ch unheard'),
        'SUBSCRIBE ch',
        'QUIT',
        { on: 'a', ended: true },
        { until: 'PUBSUB NUMSUB ch', shows: ':0' },
        on('b', 'PUBLISH ch unheard'),
      ],
    },
    'a client that leaves is no subscriber any more': {
      steps: [
        on('b', 'SUBSCRIBE ch'),
        'PUBLISH ch heard',
        read('b'),
        { on: 'b', close: true },
        { until: 'PUBSUB NUMSUB ch', shows: ':0' },
        'PUBLISH ch unheard',
      ],
    },
    'a message is any bytes': {
      steps: [
        on('a', ['SUBSCRIBE', 'ch\xff\r\n']),
        on('b', ['PUBLISH', 'ch\xff\r\n', '\x00\xfe$1\r\n>2\r\n']),
        read('a'),
        on('b', ['PUBLISH', 'ch\xff\r\n', Buffer.alloc(300_000, 'm')]),
        read('a'),
      ],
    },
    'keyspace notifications': {
      steps: [
        'CONFIG SET notify-keyspace-events KEA',
        // What nearcache writes for itself is told of, too, but nothing of that is an APPEND.
        on('b', 'PSUBSCRIBE __keyspace@*__:str __keyevent@*__:append', 2),
        'APPEND str v',
        read('b', 2),
        'CONFIG SET notify-keyspace-events ""',
        on('b', 'PUNSUBSCRIBE __keyspace@*__:str'),
        on('b', 'PUNSUBSCRIBE'),
      ],
    },
    // What MONITOR shows differs by whose connection a command took; monitor.test.ts looks at it.
    'MONITOR is left by closing': {
      noPing: true,
      steps: ['MONITOR', { on: 'a', close: true }, on('b', 'GET str')],
    },
  },
};
