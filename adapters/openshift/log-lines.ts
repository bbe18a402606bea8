/** A line with its time, as the cluster gives it: `2026-11-21T19:37:11.081720136Z text`. */
export interface Line {
  time: string;
  text: string;
}

export function lineOf(line: string): Line {
  const space = line.indexOf(' ');
  if (space < 0) return { time: line, text: '' };
  return { time: line.slice(0, space), text: line.slice(space + 1) };
}

export function linesOf(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(lineOf);
}
