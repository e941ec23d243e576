import { blocked, on, read, type Group } from '../script.ts';

export const lists: Group = {
  name: 'lists',
  plain: {
    'pushing, popping and reading': `
      LRANGE list 0 -1
      LPUSH list z
      RPUSH list d e
      LRANGE list 0 -1
      LPUSHX list y
      LPUSHX missing y
      RPUSHX list f
      RPUSHX missing f
      LRANGE list 0 -1
      LLEN list
      LPOP list
      RPOP list
      LLEN list
      LRANGE list 0 -1
      LPUSH str a
      RPUSH str a
      LPUSHX str a
      RPUSHX str a
      LLEN str
      LLEN missing
      LPOP str
      RPOP str
      LRANGE missing 0 -1
      LRANGE str 0 -1
      LRANGE list 5 1
      LRANGE list -2 -1
      LRANGE list x 1`,
    'LPOP and RPOP of what is missing, with and without a count': `
      LPOP missing
      RPOP missing
      LPOP missing 1
      RPOP missing 1
      LPOP missing 0
      RPOP missing 0
      LPOP list 0
      RPOP list 0
      LPOP list 1
      RPOP list 9
      LPOP list 2
      LPOP list -1
      LPOP list x
      LPOP str 1
      RPOP str 1
      LRANGE list 0 -1`,
    'LINDEX, LINSERT, LSET, LREM, LTRIM and LPOS': `
      LINDEX list 0
      LINDEX list -1
      LINDEX list 9
      LINDEX missing 0
      LINDEX str 0
      LINDEX list x
      LINSERT list BEFORE b x
      LINSERT list AFTER nope x
      LINSERT missing AFTER a x
      LINSERT str AFTER a x
      LINSERT list NOPE a x
      LRANGE list 0 -1
      LPOS list b
      LPOS list nope
      LPOS missing b
      LPOS list a COUNT 0
      LPOS list nope COUNT 0
      LPOS missing a COUNT 1
      LPOS list a RANK -1 MAXLEN 2
      LPOS list a RANK 0
      LPOS str a
      LSET list 0 first
      LINDEX list 0
      LSET list 99 x
      LSET missing 0 x
      LSET str 0 x
      LREM list 0 x
      LREM list 1 nope
      LREM missing 0 x
      LREM str 0 x
      LRANGE list 0 -1
      LTRIM list 1 -1
      LTRIM missing 0 1
      LTRIM str 0 1
      LRANGE list 0 -1
      LTRIM list 5 6
      LRANGE list 0 -1`,
    'LMOVE, RPOPLPUSH and LMPOP': `
      LRANGE list 0 -1
      LMOVE list other LEFT RIGHT
      LMOVE list list RIGHT LEFT
      LMOVE missing other LEFT LEFT
      LMOVE str other LEFT LEFT
      LMOVE list str LEFT LEFT
      LMOVE list other NOPE LEFT
      LRANGE list 0 -1
      LRANGE other 0 -1
      RPOPLPUSH list other
      RPOPLPUSH missing other
      RPOPLPUSH str other
      RPOPLPUSH list str
      LRANGE other 0 -1
      LMPOP 2 missing other LEFT
      LMPOP 1 other RIGHT COUNT 5
      LMPOP 1 missing LEFT
      LMPOP 1 missing LEFT COUNT 2
      LMPOP 1 str LEFT
      LMPOP 0 list LEFT
      LMPOP 1 list NOPE
      LMPOP 1 list LEFT COUNT 0
      LRANGE other 0 -1`,
    'blocking commands that need not block': `
      BLPOP missing list 0
      BRPOP list 0
      BLMOVE list other LEFT RIGHT 0
      RPUSH list x y z
      BRPOPLPUSH list other 0
      BLMPOP 0 2 missing list LEFT
      BLMPOP 0 1 list RIGHT COUNT 9
      LRANGE list 0 -1
      LRANGE other 0 -1
      BLPOP str 0
      BRPOP str 0
      BLMOVE str other LEFT LEFT 0
      BRPOPLPUSH str other 0
      BLMPOP 0 1 str LEFT
      BLPOP list -1
      BLPOP list x
      BLMPOP x 1 list LEFT
      BLMOVE list other LEFT NOPE 0
      BLMPOP 0 0 list LEFT`,
    'blocking commands that time out': `
      BLPOP missing 0.01
      BRPOP missing 0.01
      BLMOVE missing other LEFT RIGHT 0.01
      BRPOPLPUSH missing other 0.01
      BLMPOP 0.01 1 missing LEFT
      BLMPOP 0.01 1 missing LEFT COUNT 3
      LMOVE missing other LEFT RIGHT
      RPOPLPUSH missing other
      LMPOP 1 missing LEFT`,
  },
  scripts: {
    'BLPOP and its kin are served by another client': {
      steps: [
        on('b', 'BLPOP q1 q2 0', 0),
        blocked(1),
        'RPUSH q2 v',
        read('b'),
        on('b', 'BRPOP q1 0', 0),
        blocked(1),
        'LPUSH q1 one two',
        read('b'),
        'LRANGE q1 0 -1',
        on('b', 'BLMOVE q3 q4 LEFT RIGHT 0', 0),
        blocked(1),
        'RPUSH q3 moved',
        read('b'),
        'LRANGE q4 0 -1',
        on('b', 'BRPOPLPUSH q3 q4 0', 0),
        blocked(1),
        'LRANGE q4 0 -1',
        'RPUSH q3 again',
        read('b'),
        'LRANGE q4 0 -1',
        'DEL q1',
        on('b', 'BLMPOP 0 2 q1 q5 LEFT COUNT 2', 0),
        blocked(1),
        'RPUSH q5 1 2 3',
        read('b'),
      ],
    },
    'two blocked clients are served in the order they came': {
      steps: [
        on('b', 'BLPOP q 0', 0),
        blocked(1),
        on('c', 'BLPOP q 0', 0),
        blocked(2),
        'RPUSH q first second third',
        read('b'),
        read('c'),
        'LRANGE q 0 -1',
      ],
    },
    'what follows a blocking command waits for it': {
      steps: [
        on('b', 'BLPOP q 0', 0),
        on('b', 'SET done 1', 0),
        on('b', 'GET done', 0),
        blocked(1),
        'EXISTS done',
        'RPUSH q v',
        read('b', 3),
        'GET done',
      ],
    },
    'a transaction serves a blocked client after its EXEC': {
      steps: [
        on('b', 'BLPOP q 0', 0),
        blocked(1),
        'MULTI',
        'RPUSH q a b',
        'LPOP q',
        'EXEC',
        read('b'),
        'LRANGE q 0 -1',
      ],
    },
    'a blocking command ends with WRONGTYPE, UNBLOCK or its client': {
      steps: [
        on('b', 'CLIENT ID'),
        { on: 'b', save: 'b', pattern: /:(\d+)/ },
        on('b', 'BLPOP q 0', 0),
        blocked(1),
        'SET q string',
        'CLIENT UNBLOCK {b}',
        read('b'),
        on('b', 'BRPOPLPUSH q2 x 0', 0),
        blocked(1),
        'CLIENT UNBLOCK {b} ERROR',
        read('b'),
        on('b', 'BLMOVE q2 x LEFT LEFT 0', 0),
        blocked(1),
        'CLIENT UNBLOCK {b} TIMEOUT',
        read('b'),
        'CLIENT UNBLOCK {b}',
        'CLIENT UNBLOCK {b} NOPE',
        on('b', 'BLPOP q3 0', 0),
        blocked(1),
        { on: 'b', close: true },
        blocked(0),
        'RPUSH q3 kept',
        'LRANGE q3 0 -1',
      ],
    },
  },
};
