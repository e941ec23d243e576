import { on, type Group } from '../script.ts';

export const acl: Group = {
  name: 'ACL',
  plain: {
    'ACL about users and categories': `
      ACL WHOAMI
      ACL LIST
      ACL USERS
      ACL GETUSER default
      ACL GETUSER nosuch
      ACL CAT
      ACL CAT hyperloglog
      ACL CAT nosuch
      ACL GENPASS
      ACL GENPASS 32
      ACL GENPASS 0
      ACL GENPASS x
      ACL LOG
      ACL LOG RESET
      ACL LOG 5
      ACL LOG x
      ACL LOAD
      ACL SAVE
      ACL SETUSER tmp on >pw ~a:* &ch* +get -@all +@read
      ACL GETUSER tmp
      ACL SETUSER tmp nosuchrule
      ACL SETUSER tmp (~b:* +set)
      ACL GETUSER tmp
      ACL LIST
      ACL USERS
      ACL DRYRUN tmp get a:1
      ACL DRYRUN tmp set a:1 x
      ACL DRYRUN nosuch get a
      ACL DELUSER tmp nosuch
      ACL DELUSER default
      ACL DELUSER nosuch
      ACL HELP`,
  },
  scripts: {
    'a user may do what its rules allow and no more': {
      steps: [
        'SET app:k secret',
        'GET app:k',
        'ACL SETUSER alice on >pw ~app:* &news* +@read +set +multi +exec +auth +hello +select +client +publish +subscribe',
        on('b', 'AUTH alice wrong'),
        on('b', 'AUTH nosuch pw'),
        on('b', 'AUTH alice pw'),
        on('b', 'GET app:k'),
        on('b', 'GET app:k'),
        on('b', 'GET str'),
        on('b', 'MGET app:k str'),
        on('b', 'SET app:k changed'),
        on('b', 'GET app:k'),
        'GET app:k',
        on('b', 'SET str x'),
        on('b', 'DEL app:k'),
        on('b', 'ACL WHOAMI'),
        on('b', 'CONFIG GET hz'),
        on('b', 'NOSUCH'),
        on('b', 'EVAL "return 1" 0'),
        on('b', 'PUBLISH news x'),
        on('b', 'PUBLISH other x'),
        { on: 'b', pipeline: ['MULTI', 'GET app:k', 'EXEC', 'MULTI', 'GET str', 'EXEC', 'GET app:k'] },
        on('b', 'MULTI'),
        on('b', 'DEL app:k'),
        on('b', 'EXEC'),
        on('b', 'SUBSCRIBE other'),
        on('b', 'AUTH default any'),
        on('b', 'GET str'),
        'ACL LOG',
        'ACL LOG RESET',
        'ACL DELUSER alice',
      ],
    },
    'a user whose rules change loses what it had read': {
      steps: [
        'SET app:k secret',
        'ACL SETUSER carol on >pw ~app:* +@all',
        on('b', 'HELLO 3 AUTH carol pw SETNAME cee'),
        on('b', 'GET app:k'),
        on('b', 'GET app:k'),
        on('b', 'CLIENT GETNAME'),
        'ACL SETUSER carol -get',
        // The server tells nobody, so a hit may go on until the first refusal, which ends all of this user's hits.
        on('b', 'GET app:other'),
        on('b', 'GET app:k'),
        'ACL DELUSER carol',
        { on: 'b', ended: true },
        'GET app:k',
      ],
      noPing: true,
    },
    'a deleted user is disconnected': {
      noPing: true,
      steps: [
        'ACL SETUSER dave on >pw ~* +@all',
        on('b', 'AUTH dave pw'),
        on('b', 'ACL WHOAMI'),
        on('b', 'GET str'),
        'ACL DELUSER dave',
        { on: 'b', ended: true },
        on('c', 'AUTH dave pw'),
        on('c', 'HELLO 3 AUTH dave pw'),
        'ACL WHOAMI',
      ],
    },
    'a user without a password or switched off': {
      steps: [
        'ACL SETUSER eve on nopass ~* +get +set +ping',
        'ACL SETUSER off off >pw ~* +@all',
        on('b', 'AUTH eve anything'),
        on('b', 'GET str'),
        on('b', 'SET str by-eve'),
        on('b', 'GET str'),
        'GET str',
        on('b', 'HGETALL hash'),
        on('b', 'SELECT 1'),
        on('c', 'AUTH off pw'),
        on('c', 'GET str'),
        on('b', 'RESET'),
        on('c', 'PING'),
        'ACL DELUSER off eve',
      ],
      noPing: true,
    },
  },
};
