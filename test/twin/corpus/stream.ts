import { blocked, on, read, type Group } from '../script.ts';

export const streams: Group = {
  name: 'streams',
  plain: {
    'XADD, XLEN, XRANGE, XREVRANGE, XDEL, XTRIM and XSETID': `
      XRANGE stream - +
      XREVRANGE stream + -
      XLEN stream
      XADD stream 3-1 f v
      XADD stream 3-* f v
      XDEL stream 3-1
      XRANGE stream - 3
      XREVRANGE stream 3 - COUNT 1
      XRANGE stream (1-1 2-1
      XRANGE stream 9 5
      XRANGE stream - + COUNT 0
      XRANGE missing - +
      XREVRANGE missing + -
      XRANGE str - +
      XREVRANGE str + -
      XLEN missing
      XLEN str
      XADD stream 1-1 f v
      XADD stream 0-0 f v
      XADD stream x f v
      XADD missing NOMKSTREAM * f v
      XADD capped MAXLEN 2 1-1 f v
      XADD capped MAXLEN = 2 2-1 f v
      XADD capped MAXLEN 2 3-1 f v
      XADD capped MINID 3 4-1 f v
      XRANGE capped - +
      XADD str 1-1 f v
      XADD stream MAXLEN x 9-1 f v
      XDEL stream 99-1
      XDEL missing 1-1
      XDEL str 1-1
      XDEL stream x
      XTRIM capped MAXLEN 1
      XTRIM capped MAXLEN 1
      XTRIM capped MINID 9
      XTRIM missing MAXLEN 1
      XTRIM str MAXLEN 1
      XTRIM capped NOPE 1
      XRANGE capped - +
      XSETID capped 10-1
      XSETID capped 11-1 ENTRIESADDED 20 MAXDELETEDID 10-1
      XSETID stream 0-1
      XSETID missing 1-1
      XSETID str 1-1
      XLEN capped`,
    'XADD makes an id from the clock': `
      XADD stream * f v
      XADD missing NOMKSTREAM * f v
      XADD new * f v
      XLEN stream
      XLEN new`,
    XREAD: `
      XREAD STREAMS stream 0
      XREAD COUNT 1 STREAMS stream 0
      XREAD STREAMS stream missing 1-1 0
      XREAD STREAMS stream 99
      XREAD STREAMS missing 0
      XREAD STREAMS stream $
      XREAD STREAMS str 0
      XREAD STREAMS stream
      XREAD STREAMS stream x
      XREAD STREAMS stream >
      XREAD COUNT x STREAMS stream 0
      XREAD BLOCK 10 STREAMS missing $
      XREAD BLOCK 10 STREAMS stream 0
      XREAD BLOCK -1 STREAMS stream 0
      XADD stream 3-1 f v
      XREAD STREAMS stream 2-1`,
    'XREADGROUP, XACK and XPENDING': `
      XPENDING stream group
      XPENDING stream group - + 10
      XREADGROUP GROUP group alice STREAMS stream >
      XREADGROUP GROUP group alice STREAMS stream >
      XREADGROUP GROUP group alice STREAMS stream 0
      XREADGROUP GROUP group bob STREAMS stream 0
      XREADGROUP GROUP group bob BLOCK 10 STREAMS stream >
      XPENDING stream group
      XPENDING stream group - + 10
      XPENDING stream group - + 10 alice
      XPENDING stream group - + 10 nobody
      XPENDING stream group IDLE 999999 - + 10
      XDEL stream 1-1
      XREADGROUP GROUP group alice STREAMS stream 0
      XACK stream group 1-1 9-9
      XACK stream group 1-1
      XACK missing group 1-1
      XACK stream nogroup 1-1
      XACK str group 1-1
      XPENDING stream group
      XADD stream 3-1 f v
      XREADGROUP GROUP group bob NOACK COUNT 1 STREAMS stream >
      XPENDING stream group
      XREADGROUP GROUP nogroup bob STREAMS stream >
      XREADGROUP GROUP group bob STREAMS missing >
      XREADGROUP GROUP group bob STREAMS str >
      XREADGROUP GROUP group bob STREAMS stream $
      XREADGROUP NOPE group bob STREAMS stream >
      XPENDING stream nogroup
      XPENDING missing group
      XPENDING str group
      XPENDING stream group x + 1`,
    'XCLAIM and XAUTOCLAIM': `
      XREADGROUP GROUP group alice STREAMS stream >
      XCLAIM stream group bob 0 1-1
      XCLAIM stream group bob 0 1-1 JUSTID
      XCLAIM stream group bob 999999 1-1
      XCLAIM stream group bob 0 9-9
      XCLAIM stream group bob 0 9-9 FORCE
      XCLAIM stream group bob 0 2-1 IDLE 5 RETRYCOUNT 3 LASTID 2-1
      XCLAIM missing group bob 0 1-1
      XCLAIM stream nogroup bob 0 1-1
      XCLAIM str group bob 0 1-1
      XCLAIM stream group bob x 1-1
      XAUTOCLAIM stream group carol 0 0
      XAUTOCLAIM stream group carol 0 0 COUNT 1 JUSTID
      XAUTOCLAIM stream group carol 999999 0
      XDEL stream 2-1
      XAUTOCLAIM stream group carol 0 0
      XAUTOCLAIM missing group carol 0 0
      XAUTOCLAIM str group carol 0 0
      XAUTOCLAIM stream group carol 0 0 COUNT 0
      XPENDING stream group`,
    'XGROUP and XINFO': `
      XINFO GROUPS stream
      XINFO GROUPS missing
      XINFO GROUPS str
      XINFO STREAM stream
      XINFO STREAM missing
      XINFO STREAM str
      XINFO STREAM stream FULL
      XINFO STREAM stream FULL COUNT 1
      XINFO CONSUMERS stream group
      XINFO CONSUMERS stream nogroup
      XINFO CONSUMERS missing group
      XINFO CONSUMERS str group
      XINFO HELP
      XGROUP CREATE stream g2 $
      XGROUP CREATE stream g2 $
      XGROUP CREATE missing g 0
      XGROUP CREATE made g 0 MKSTREAM
      XGROUP CREATE made g3 0 ENTRIESREAD 3
      XGROUP CREATE str g 0
      XGROUP CREATECONSUMER stream group alice
      XGROUP CREATECONSUMER stream group alice
      XGROUP CREATECONSUMER stream nogroup alice
      XGROUP CREATECONSUMER missing group alice
      XGROUP CREATECONSUMER str group alice
      XINFO CONSUMERS stream group
      XREADGROUP GROUP group alice COUNT 1 STREAMS stream >
      XINFO GROUPS stream
      XINFO CONSUMERS stream group
      XINFO STREAM stream FULL
      XGROUP DELCONSUMER stream group alice
      XGROUP DELCONSUMER stream group alice
      XGROUP DELCONSUMER str group alice
      XGROUP SETID stream group 0
      XGROUP SETID stream nogroup 0
      XGROUP SETID str group 0
      XGROUP DESTROY stream group
      XGROUP DESTROY stream group
      XGROUP DESTROY missing group
      XGROUP DESTROY str group
      XGROUP HELP
      XINFO GROUPS stream
      XINFO GROUPS made
      XDEL stream 1-1 2-1
      XINFO STREAM stream`,
  },
  scripts: {
    'XREAD and XREADGROUP are served by another client': {
      steps: [
        on('b', 'XREAD BLOCK 0 STREAMS stream other $ $', 0),
        blocked(1),
        'XADD other 1-1 f v',
        read('b'),
        on('b', 'XREAD COUNT 1 BLOCK 0 STREAMS stream $', 0),
        blocked(1),
        'MULTI',
        'XADD stream 3-1 f v',
        'XADD stream 4-1 f v',
        'EXEC',
        read('b'),
        on('b', 'XREADGROUP GROUP group bob STREAMS stream >'),
        on('b', 'XREADGROUP GROUP group bob BLOCK 0 STREAMS stream >', 0),
        blocked(1),
        'XADD stream 5-1 f v g w',
        read('b'),
        'XPENDING stream group',
        on('b', 'XREADGROUP GROUP group bob BLOCK 0 STREAMS stream >', 0),
        blocked(1),
        'XGROUP DESTROY stream group',
        read('b'),
        'XRANGE stream - +',
      ],
    },
  },
};
