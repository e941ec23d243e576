import type { Option } from './option.ts';
import { OPTION_GROUPS, variableOf } from './options.ts';

const INDENT = 30;

/** The text of `nearcache serve --help`: every option with its meaning, default and bounds. */
export function helpText(): string {
  const groups = OPTION_GROUPS.map(({ title, rows }) => {
    const lines = Object.values(rows).map((option) => helpOf(option));
    return `${title}\n${lines.join('\n')}`;
  });
  return `${INTRODUCTION}\n\n${groups.join('\n\n')}\n`;
}

const INTRODUCTION = `Usage: nearcache serve [--flag value]...

Every option is a flag, a variable and a key of the file, in that order of precedence:
--cache-size 64mb, ${variableOf('cache-size')}=64mb, cacheBytes: 64mb.

  --config FILE               YAML or JSON file with options (${variableOf('config')})`;

function helpOf(option: Option): string {
  const head = `  ${nameOf(option)}${option.isSwitch === true ? '' : ` ${placeholderOf(option)}`}`;
  const gap = head.length < INDENT - 1 ? head.padEnd(INDENT) : `${head}\n${' '.repeat(INDENT)}`;
  return `${gap}${option.help}${factsOf(option)}`;
}

function nameOf({ flag, isFileOnly }: Option): string {
  return isFileOnly === true ? `(file) ${flag}:` : `--${flag}`;
}

function placeholderOf(option: Option): string {
  if (option.isFile === true) return 'FILE';
  if (option.form.startsWith('a time')) return 'TIME';
  if (option.form.startsWith('a size')) return 'SIZE';
  if (option.form.startsWith('a percentage')) return 'PERCENT';
  return option.form.startsWith('a whole number') ? 'N' : 'VALUE';
}

function factsOf({ initial, min, max, form, isSwitch }: Option): string {
  const facts = [
    initial === undefined || isSwitch === true ? '' : `default ${initial}`,
    min === undefined ? '' : `${min} to ${max}`,
    form.startsWith('one of') ? form : '',
  ].filter((fact) => fact !== '');
  return facts.length === 0 ? '' : ` [${facts.join('; ')}]`;
}
