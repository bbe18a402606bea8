const WIDTH = 900;
const LEFT = 420;
const ROW = 22;

/** A bar for each ratio that a reference bounds, as SVG; a mark where the aim is. */
export function chart(parts) {
  const rows = parts.flatMap(({ letter, rows: some }) =>
    some.filter(({ lessIsBetter }) => !lessIsBetter).map((row) => ({ ...row, letter })),
  );
  const scale = (WIDTH - LEFT - 70) / Math.max(1, ...rows.map(({ ratio }) => ratio));
  const bars = rows.map((row, index) => {
    const top = 40 + index * ROW;
    const goal = row.aim?.of === 'ratio' ? row.aim.atLeast : undefined;
    const color = goal === undefined ? '#7a8ca3' : row.ratio >= goal ? '#2e7d4f' : '#b3412e';
    const mark =
      goal === undefined
        ? ''
        : `<line x1="${at(goal, scale)}" x2="${at(goal, scale)}" y1="${top - 2}" y2="${top + 16}" stroke="#000" stroke-width="2"/>`;
    return [
      `<text x="${LEFT - 8}" y="${top + 11}" text-anchor="end">${escaped(`${row.letter}. ${row.name} : ${row.against}`)}</text>`,
      `<rect x="${LEFT}" y="${top}" width="${(row.ratio * scale).toFixed(1)}" height="14" fill="${color}"/>${mark}`,
      `<text x="${at(row.ratio, scale) + 6}" y="${top + 11}">${row.ratio.toFixed(2)}</text>`,
    ].join('');
  });
  const height = 60 + rows.length * ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="12" y="22" font-size="14">The gateway as part of its reference (1 = as fast); black: the aim</text>
<line x1="${at(1, scale)}" x2="${at(1, scale)}" y1="32" y2="${height - 16}" stroke="#bbb" stroke-dasharray="4 3"/>
${bars.join('\n')}
</svg>
`;
}

function at(ratio, scale) {
  return Number((LEFT + ratio * scale).toFixed(1));
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
