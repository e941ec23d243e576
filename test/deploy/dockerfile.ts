// Reads the part of the Dockerfile language that ours is written in.

export interface Instruction {
  readonly word: string;
  readonly rest: string;
}

export interface Stage {
  readonly name: string;
  /** Another stage or an image; arguments filled in. */
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

/** What a container of a stage is started with. Shape: lists as exec gets them. */
export interface Start {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
  readonly user: string;
  readonly workdir: string;
}

/** Errors: throws on an instruction outside of any stage other than ARG. */
export function readDockerfile(text: string): Stage[] {
  const args = new Map<string, string>();
  const stages: { name: string; from: string; instructions: Instruction[] }[] = [];
  for (const line of text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n')) {
    const [, word, rest] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (word === undefined || rest === undefined) continue;
    const stage = stages.at(-1);
    if (word === 'FROM') {
      const [from = '', , name] = rest.split(/\s+/);
      stages.push({ name: name ?? String(stages.length), from: filled(from, args), instructions: [] });
    } else if (stage !== undefined) {
      stage.instructions.push({ word, rest });
    } else if (word === 'ARG') {
      const [name = '', value = ''] = rest.split('=');
      args.set(name, value);
    } else {
      throw new Error(`${word} before the first FROM`);
    }
  }
  return stages;
}

/** What a container of that stage runs, with what it has from the stages below it. */
export function startOf(stages: readonly Stage[], name: string): Start {
  const stage = stages.find((each) => each.name === name);
  if (stage === undefined) return { entrypoint: [], command: [], healthcheck: [], user: '', workdir: '/' };
  const start = { ...startOf(stages, stage.from) };
  for (const { word, rest } of stage.instructions) {
    if (word === 'ENTRYPOINT') start.entrypoint = list(rest);
    if (word === 'CMD') start.command = list(rest);
    if (word === 'USER') start.user = rest;
    if (word === 'WORKDIR') start.workdir = rest;
    if (word === 'HEALTHCHECK') start.healthcheck = rest === 'NONE' ? [] : list(rest.replace(/^.*?CMD /, ''));
  }
  return start;
}

/** Whether `.dockerignore` keeps a path of the context from the build. Shape: patterns without blanks, of whole first parts. */
export function isIgnored(patterns: string, path: string): boolean {
  let ignored = false;
  const first = path.replace(/^\.\//, '').split('/')[0];
  for (const line of patterns.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
    const pattern = line.replace(/^!/, '');
    if (pattern === '*' || pattern === first) ignored = !line.startsWith('!');
  }
  return ignored;
}

function filled(text: string, args: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => args.get(name) ?? '');
}

/** Only the form that runs no shell, which would not pass signals on. */
function list(text: string): readonly string[] {
  return JSON.parse(text) as readonly string[];
}
