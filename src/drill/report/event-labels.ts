import { textWidth } from './svg.ts';

/** Where the label of an event stands. Shape: `x` is its left end, `lane` counts from the top. */
export interface PlacedLabel {
  readonly text: string;
  readonly x: number;
  readonly width: number;
  readonly lane: number;
}

/** Labels of all events. Shape: by the order of the events; undefined is one for which even its number had no room. */
export interface EventLabels {
  readonly lanes: number;
  readonly labels: readonly (PlacedLabel | undefined)[];
}

/** How much room there is. Units: pixels. */
export interface LabelRoom {
  readonly left: number;
  readonly right: number;
  readonly lanesMax: number;
  readonly fontSize: number;
}

const GAP = 6;
/** Between an event's line and its text. */
export const LABEL_INDENT = 4;

/** Labels of events above the line that each has at its `x`: no two overlap, and no line runs through a label. Shape: `xs`
 *  ascend. Whole texts where all fit, else numbers for some, else numbers for all; in as few lanes as that takes. */
export function placeLabels(xs: readonly number[], texts: readonly string[], room: LabelRoom): EventLabels {
  if (xs.length === 0) return { lanes: 0, labels: [] };
  const numbers = texts.map((_, i) => String(i + 1));
  const whole = texts.map((text, i) => `${numbers[i]} ${text}`);
  const plans = [
    whole.map((text) => [text]),
    whole.map((text, i) => [text, numbers[i] as string]),
    numbers.map((text) => [text]),
  ];
  let found: EventLabels = { lanes: 0, labels: [] };
  for (const plan of plans) {
    for (let lanes = 1; lanes <= room.lanesMax; lanes++) {
      found = { lanes, labels: place(xs, plan, { ...room, lanesMax: lanes }) };
      if (!found.labels.includes(undefined)) return found;
    }
  }
  return found;
}

/** Each goes below all that reach over its line, so that lines, which run down, meet no label of an earlier event. */
function place(
  xs: readonly number[],
  plan: readonly (readonly string[])[],
  { left, right, lanesMax, fontSize }: LabelRoom,
): (PlacedLabel | undefined)[] {
  const placed: PlacedLabel[] = [];
  return plan.map((texts, i) => {
    for (const text of texts) {
      const width = textWidth(text, fontSize) + LABEL_INDENT;
      const own = xs[i] as number;
      // A label near the right end is pushed back in, if no line is in its way there.
      const x = Math.min(own, right - width);
      if (x < left || (x < own && xs.slice(0, i).some((earlier) => earlier >= x))) continue;
      const over = placed.filter((each) => each.x + each.width + GAP > x);
      const lane = Math.max(-1, ...over.map((each) => each.lane)) + 1;
      if (lane >= lanesMax) continue;
      const label = { text, x, width, lane };
      placed.push(label);
      return label;
    }
    return undefined;
  });
}
