/** results.svg: bars and curves that read in a light and in a dark page, as plain SVG. */

const WIDTH = 860;
const COLOURS = {
  ours: "#2f81f7",
  naive: "#d29922",
  tailcall: "#a371f7",
};
const GREY = "#8b949e";
const colourOf = (name) => COLOURS[name] ?? GREY;

const escape = (text) =>
  text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign] ?? sign);
const round = (value) => Math.round(value * 10) / 10;

/** @param {number} x @param {number} y @param {string} content @param {string} [attributes] */
function text(x, y, content, attributes = "") {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escape(content)}</text>`;
}

function number(value) {
  if (value >= 10_000) return `${Math.round(value / 1000)}k`;
  if (value >= 1000) return `${(value / 1000).toFixed(1)}k`;
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 0 : 1);
}

/**
 * Horizontal bars on a linear scale from zero.
 * @param {{ title: string, note: string, bars: readonly { name: string, label: string, value: number, shown: string }[] }} panel
 * @returns {{ height: number, svg: string }}
 */
export function bars({ title, note, bars: list }) {
  const left = 300;
  const room = WIDTH - left - 110;
  const top = Math.max(...list.map(({ value }) => value));
  const parts = [text(0, 18, title, 'class="title"'), text(0, 37, note, 'class="note"')];
  list.forEach(({ name, label, value, shown }, i) => {
    const y = 50 + i * 24;
    parts.push(
      text(left - 10, y + 13, label, 'text-anchor="end"'),
      `<rect x="${left}" y="${y}" width="${round(Math.max(2, (value / top) * room))}" height="16" rx="3" fill="${colourOf(name)}"/>`,
      text(left + Math.max(2, (value / top) * room) + 8, y + 13, shown, 'class="value"'),
    );
  });
  return { height: 60 + list.length * 24, svg: parts.join("\n") };
}

const log = (value) => Math.log10(Math.max(value, 1e-9));

/**
 * Curves over logarithmic axes.
 * @param {{ title: string, note: string, xLabel: string, series: readonly { name: string, label: string,
 *   points: readonly (readonly [number, number])[] }[] }} panel
 * @param {{ width?: number }} [options]
 */
export function curves({ title, note, xLabel, series }, { width = WIDTH } = {}) {
  const [left, top, height] = [54, 54, 200];
  const room = width - left - 150;
  const all = series.flatMap(({ points }) => points);
  const [x0, x1] = [Math.min(...all.map(([x]) => x)), Math.max(...all.map(([x]) => x))];
  const [y0, y1] = [Math.min(...all.map(([, y]) => y)), Math.max(...all.map(([, y]) => y))];
  const [low, high] = [Math.floor(log(y0)), Math.ceil(log(y1))];
  const px = (x) => left + ((log(x) - log(x0)) / (log(x1) - log(x0) || 1)) * room;
  const py = (y) => top + height - ((log(y) - low) / (high - low || 1)) * height;
  const parts = [text(0, 18, title, 'class="title"'), text(0, 37, note, 'class="note"')];
  for (let power = low; power <= high; power++) {
    const y = round(py(10 ** power));
    parts.push(
      `<line x1="${left}" x2="${left + room}" y1="${y}" y2="${y}" class="grid"/>`,
      text(left - 8, y + 4, number(10 ** power), 'text-anchor="end" class="note"'),
    );
  }
  for (const x of new Set(all.map(([x]) => x)))
    parts.push(
      text(px(x), top + height + 18, number(x).replace(".0", ""), 'text-anchor="middle" class="note"'),
    );
  parts.push(text(left + room / 2, top + height + 36, xLabel, 'text-anchor="middle" class="note"'));
  const ends = spread(series.map(({ points }) => py(points[points.length - 1][1])));
  series.forEach(({ name, label, points }, i) => {
    const path = points.map(([x, y], j) => `${j ? "L" : "M"}${round(px(x))} ${round(py(y))}`).join("");
    parts.push(
      `<path d="${path}" fill="none" stroke-width="2.5" stroke="${colourOf(name)}"/>`,
      text(left + room + 8, ends[i] + 4, label, `style="fill:${colourOf(name)}"`),
    );
  });
  return { height: top + height + 50, svg: parts.join("\n") };
}

/** Moves labels apart that would lie on one another. @param {readonly number[]} wanted */
function spread(wanted) {
  const order = wanted.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y);
  for (let i = 1; i < order.length; i++) order[i].y = Math.max(order[i].y, order[i - 1].y + 15);
  const placed = [];
  for (const { y, i } of order) placed[i] = y;
  return placed;
}

/** @param {readonly { height: number, svg: string }[]} panels @param {string} description */
export function page(panels, description) {
  let y = 20;
  const placed = panels.map(({ height, svg }) => {
    const part = `<g transform="translate(20 ${y})">\n${svg}\n</g>`;
    y += height + 24;
    return part;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH + 40} ${y}" role="img" aria-label="${escape(description)}">
<style>
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.note { font-size: 12px; fill: #59636e; }
.value { font-variant-numeric: tabular-nums; }
.grid { stroke: #8b949e; stroke-opacity: 0.3; }
@media (prefers-color-scheme: dark) { text { fill: #f0f6fc; } .note { fill: #9198a1; } }
</style>
${placed.join("\n")}
</svg>
`;
}
