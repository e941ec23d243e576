import type { CommandSpec } from '../command/spec.ts';
import { encodeRequest, errorReply, integerReply, OK } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import { ANY_DB } from '../shard/shared-connection.ts';
import { clientTypeOf } from './client-line.ts';
import type { Session } from './session.ts';
import { NO_SUCH_ID, runControl, sharedSlot } from './shared-slot.ts';

const NO_SUCH_CLIENT = errorReply('ERR No such client');

type Filter = (other: Session) => boolean;

/** CLIENT KILL addr, or CLIENT KILL with filters: closes sessions of this nearcache; Redis's other clients are out of
 *  reach here. A form that is not valid goes to Redis for its error. */
export function killSessions(session: Session, request: Request, spec: CommandSpec): boolean {
  const args: string[] = [];
  for (let i = 2; i < request.argc; i++) args.push(request.argLatin1(i));
  if (args.length === 1) {
    const [address] = args;
    const victim = [...session.context.registry.all()].find((other) => other.address === address);
    // Answered here in any case: at Redis the address could be that of another app's connection.
    if (victim === undefined) session.answer(NO_SUCH_CLIENT);
    else kill([victim], session, OK);
    return true;
  }
  const filters = parse(session, args);
  if (filters === undefined) return runControl(session, request, spec);
  const victims = [...session.context.registry.all()].filter((other) =>
    filters.every((filter) => filter(other)),
  );
  const namesUser = args.some((arg, i) => i % 2 === 0 && arg.toLowerCase() === 'user');
  if (victims.length === 0 && namesUser) return askWithoutVictim(session, request, spec);
  kill(victims, session, integerReply(victims.length));
  return true;
}

/** Redis alone knows whether there is such a user: ask with one more filter that no client meets. */
function askWithoutVictim(session: Session, request: Request, spec: CommandSpec): boolean {
  if (!session.mayUse('control')) return false;
  const args: Buffer[] = [];
  for (let i = 0; i < request.argc; i++) {
    args.push(request.buffer.subarray(request.argStart(i), request.argEnd(i)));
  }
  const bytes = encodeRequest([...args, 'ID', NO_SUCH_ID]);
  session.identity.control.submit(sharedSlot(session, request, spec), bytes, 0, bytes.length, ANY_DB);
  return true;
}

/** The killer hears the answer first, even when it is among the victims. */
function kill(victims: readonly Session[], killer: Session, answer: Buffer): void {
  killer.answer(answer);
  for (const victim of victims) {
    if (victim === killer) victim.endAfterReplies('killed');
    else victim.close('killed', 'CLIENT KILL');
  }
}

function parse(session: Session, args: readonly string[]): Filter[] | undefined {
  if (args.length === 0 || args.length % 2 !== 0) return undefined;
  const filters: Filter[] = [];
  let skipsOwn = true;
  for (let i = 0; i < args.length; i += 2) {
    const value = args[i + 1] as string;
    const option = (args[i] as string).toLowerCase();
    if (option === 'skipme' && /^(yes|no)$/i.test(value)) {
      skipsOwn = value.toLowerCase() === 'yes';
      continue;
    }
    const filter = filterOf(option, value);
    if (filter === undefined) return undefined;
    filters.push(filter);
  }
  if (skipsOwn) filters.push((other) => other !== session);
  return filters;
}

function filterOf(option: string, value: string): Filter | undefined {
  switch (option) {
    case 'id':
      return /^[1-9]\d{0,17}$/.test(value) ? (other) => other.id === Number(value) : undefined;
    case 'addr':
      return (other) => other.address === value;
    case 'laddr':
      return (other) => other.localAddress === value;
    case 'user':
      return (other) => other.user.name === value;
    case 'type': {
      const type = value.toLowerCase() === 'slave' ? 'replica' : value.toLowerCase();
      return /^(normal|master|replica|pubsub)$/.test(type)
        ? (other) => clientTypeOf(other) === type
        : undefined;
    }
    default:
      return undefined;
  }
}
