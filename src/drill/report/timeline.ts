/** What a picture of a drill shows, whatever is measured: plots over one time axis, with what happened as lines across them. */

/** Colours, which differ for the colour-blind too; `style.ts` says which they are in light and in dark. */
export type Tone = 'blue' | 'orange' | 'vermillion' | 'green' | 'purple' | 'grey';

/** One line of a plot, or one layer of a stack. Shape: a value for each step of the timeline, undefined = not known. A `bound` is
 *  drawn dashed: not what was measured, but what was allowed. */
export interface Series {
  readonly name: string;
  readonly tone: Tone;
  readonly values: readonly (number | undefined)[];
  readonly isBound?: boolean;
}

/** Lines, each on its own, over a linear axis from zero or over a logarithmic one. */
export interface LinesPlot {
  readonly kind: 'lines';
  readonly title: string;
  readonly unit: 'count' | 'ms';
  readonly axis: 'linear' | 'log';
  readonly series: readonly Series[];
}

/** Parts of a whole, one on top of the other. */
export interface StackPlot {
  readonly kind: 'stack';
  readonly title: string;
  readonly unit: 'count';
  readonly series: readonly Series[];
}

/** A row for each name, coloured by its state. Shape: a state for each step of the timeline; `tones` are the states in the order
 *  of the legend. */
export interface BandsPlot {
  readonly kind: 'bands';
  readonly title: string;
  readonly tones: Readonly<Record<string, BandTone>>;
  readonly rows: readonly { readonly name: string; readonly states: readonly string[] }[];
}

/** How a state looks. */
export type BandTone = 'calm' | 'warning' | 'alarm' | 'blank';

export type Plot = LinesPlot | StackPlot | BandsPlot;

/** Plots over one axis. Units: seconds. Shape: `edges` are the moments where a step begins, and the one where the last ends. */
export interface Timeline {
  readonly title: string;
  readonly edges: readonly number[];
  readonly events: readonly { readonly at: number; readonly text: string }[];
  readonly plots: readonly Plot[];
}
