/** A document of the API as lines for a person: what a `--json` answer says, without links. */
export function show(document: unknown): string {
  return lines(document, '').join('\n');
}

type Row = Record<string, unknown>;

function lines(value: unknown, indent: string): string[] {
  if (Array.isArray(value))
    return value.every(isRow) ? table(value, indent) : [`${indent}${value.map(cell).join(', ')}`];
  if (!isRow(value)) return [`${indent}${cell(value)}`];
  const members = Object.entries(value).filter(([key, inner]) => key !== 'links' && !isEmpty(inner));
  const only = members[0];
  if (members.length === 1 && only && isNested(only[1])) return lines(only[1], indent);
  if (members.length === 0) return [`${indent}(none)`];
  const width = Math.max(...members.filter(([, inner]) => !isNested(inner)).map(([key]) => key.length), 0);
  return members.flatMap(([key, inner]) =>
    isNested(inner)
      ? [`${indent}${key}:`, ...lines(inner, `${indent}  `)]
      : [`${indent}${key.padEnd(width)}  ${Array.isArray(inner) ? inner.map(cell).join(', ') : cell(inner)}`],
  );
}

/** Rows under each other, when their members are plain; else one after the other. */
function table(rows: Row[], indent: string): string[] {
  if (rows.length === 0) return [`${indent}(none)`];
  if (rows.some((row) => Object.entries(row).some(([key, value]) => key !== 'links' && isNested(value))))
    return rows.flatMap((row, index) => [...(index > 0 ? [''] : []), ...lines(row, indent)]);
  const columns = [
    ...new Set(rows.flatMap((row) => Object.keys(row).filter((key) => key !== 'links' && !isEmpty(row[key])))),
  ];
  const cells = [columns.map((one) => one.toUpperCase()), ...rows.map((row) => columns.map((one) => cell(row[one])))];
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map(
    (row) =>
      indent +
      row
        .map((one, column) => one.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
  );
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = Array.isArray(value)
    ? value.map(cell).join(', ')
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
  // What an application or a description says must not steer the terminal.
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\uFFFD').replace(/\s*\n\s*/g, ' ');
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNested(value: unknown): boolean {
  return isRow(value) || (Array.isArray(value) && value.some(isRow));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** Bytes for a person. */
export function sizeText(bytes: number): string {
  return bytes < 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
