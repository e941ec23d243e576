/** Picks one of `count` things that may happen next. */
export type Choose = (count: number) => number;

/** Calls `run` with every sequence of choices there is, and returns how many there were: first always the first, then the last
 *  choice that has another changes. `run` must do the same whenever it is given the same choices.
 *  Bounds: stops after `limit` sequences. Errors: what `run` throws. */
export function explore(
  run: (choose: Choose) => void,
  limit: number,
): { count: number; isComplete: boolean } {
  let path: { choice: number; count: number }[] = [];
  for (let count = 1; ; count++) {
    let at = 0;
    run((count) => {
      path[at] ??= { choice: 0, count };
      return (path[at++] as { choice: number }).choice;
    });
    path = path.slice(0, at);
    while (path.length > 0 && isExhausted(path.at(-1))) path.pop();
    const last = path.at(-1);
    if (last === undefined) return { count, isComplete: true };
    if (count === limit) return { count, isComplete: false };
    last.choice++;
  }
}

function isExhausted(step: { choice: number; count: number } | undefined): boolean {
  return step !== undefined && step.choice + 1 >= step.count;
}
