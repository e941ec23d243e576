/** What to do. Shape: `largeKey` names a value of `LARGE_BYTES`. */
export interface OffendersPlan {
  readonly port: number;
  readonly seconds: number;
  readonly crowd: number;
  readonly pipelined: number;
  readonly bigMegabytes: number;
  readonly bigMegabytesPerSecond: number;
  readonly largeKey: string;
}

/** What offenders were told. Shape: `big` and `tooBig` are whole replies without their CRLF. Units: ms until the one to `big`. */
export interface OffendersHeard {
  readonly halfOpen: number;
  readonly big: string;
  readonly bigMs: number;
  readonly tooBig: string;
}

export const LARGE_BYTES = 65_536;
