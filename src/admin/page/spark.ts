/** The line of a small chart, as an SVG path: a step for each value. What is not known is a gap. Pure. */
export function sparkPath(
  values: readonly (number | null)[],
  { width, height }: { width: number; height: number },
): { line: string; area: string } {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  const step = width / Math.max(1, values.length);
  const yOf = (value: number): number => round(height - 1 - (value / most) * (height - 2));
  let line = '';
  let area = '';
  let isOpen = false;
  for (const [i, value] of values.entries()) {
    const [left, right] = [round(i * step), round((i + 1) * step)];
    if (value === null) {
      if (isOpen) area += `L${left} ${height}Z`;
      isOpen = false;
      continue;
    }
    const y = yOf(value);
    line += isOpen ? `V${y}H${right}` : `M${left} ${y}H${right}`;
    area += isOpen ? `L${left} ${y}L${right} ${y}` : `M${left} ${height}L${left} ${y}L${right} ${y}`;
    isOpen = true;
  }
  if (isOpen) area += `L${round(width)} ${height}Z`;
  return { line, area };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
