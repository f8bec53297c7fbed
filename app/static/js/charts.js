"use strict";
// Draws the charts from the tables beside them. Without it the tables say the same.

const dashes = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 5], [10, 2]];

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function read(table) {
  const heads = [...table.tHead.rows[0].cells];
  const columns = heads.map((head, index) => ("series" in head.dataset ? index : -1)).filter((index) => index > 0);
  const rows = [...table.tBodies[0].rows];
  return {
    names: columns.map((index) => heads[index].textContent),
    times: rows.map((row) => Number(row.cells[0].dataset.at)),
    values: columns.map((index) => rows.map((row) => Number(row.cells[index].textContent))),
  };
}

function readMarks(id) {
  const table = id && document.getElementById(id);
  if (!table) return [];
  return [...table.tBodies[0].rows].map((row) => ({
    name: row.cells[0].textContent,
    at: Number(row.querySelector("[data-at]").dataset.at),
  }));
}

function drawMarks(marks) {
  return (plot) => {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio || 1;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = color("--muted");
    ctx.font = `${12 * ratio}px ${color("--font")}`;
    ctx.textAlign = "left";
    ctx.setLineDash([2 * ratio, 4 * ratio]);
    marks.filter((mark) => mark.at >= plot.scales.x.min && mark.at <= plot.scales.x.max).forEach((mark, row) => {
      const x = Math.round(plot.valToPos(mark.at, "x", true));
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const width = ctx.measureText(mark.name).width;
      const left = Math.min(x + 4 * ratio, bbox.left + bbox.width - width);
      ctx.fillText(mark.name, left, bbox.top + (14 + 16 * row) * ratio);
    });
    ctx.restore();
  };
}

function draw(figure) {
  const { chart, zone, label, x, limit, limitName, table, marks } = figure.dataset;
  // First, as an empty figure takes no room.
  const canvas = document.createElement("div");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  figure.replaceChildren(canvas);
  const { names, times, values } = read(document.getElementById(table));
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
  const isBars = chart === "bars";
  const short = new Intl.DateTimeFormat(language, isBars ? { hour: "2-digit", minute: "2-digit", timeZone: zone } : { day: "numeric", month: "short", timeZone: zone });
  const long = new Intl.DateTimeFormat(language, isBars ? { dateStyle: "medium", timeStyle: "short", timeZone: zone } : { dateStyle: "medium", timeZone: zone });
  const number = new Intl.NumberFormat(language);
  const say = (value) => (value === null || value === undefined ? "–" : number.format(value));

  const series = names.map((name, index) => {
    const isAll = !isBars && index === names.length - 1;
    const stroke = isAll ? color("--ink") : color(`--chart-${(index % 6) + 1}`);
    return isBars
      ? { label: name, stroke, fill: stroke, paths: uPlot.paths.bars({ size: [0.8, 60] }), points: { show: false }, value: (_, value) => say(value) }
      : { label: name, stroke, width: isAll ? 3 : 2, dash: isAll ? [] : dashes[index % dashes.length], points: { show: times.length < 2 }, value: (_, value) => say(value) };
  });
  const data = [times, ...values];
  const slot = times.length > 1 ? times[1] - times[0] : 600;
  if (limit) {
    series.push({ label: limitName, stroke: color("--muted"), width: 1, dash: [4, 4], points: { show: false }, value: (_, value) => say(value) });
    data.push(times.map(() => Number(limit)));
  }
  const axis = { stroke: color("--ink"), font: `13px ${color("--font")}`, grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 } };
  const options = {
    width: figure.clientWidth,
    height: Math.min(420, Math.max(260, figure.clientWidth * 0.5)),
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    scales: { x: isBars ? { range: (_, first, last) => [first - slot / 2, last + slot / 2] } : {}, y: { range: (_, __, most) => [0, Math.max(1, most * 1.05)] } },
    axes: [
      { ...axis, space: 70, values: (_, splits) => splits.map((split) => short.format(split * 1000)) },
      { ...axis, size: 64, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000], values: (_, splits) => splits.map(say) },
    ],
    series: [{ label: x, value: (_, at) => (at === null ? "–" : long.format(at * 1000)) }, ...series],
    cursor: { drag: { x: false, y: false } },
    hooks: { draw: [drawMarks(readMarks(marks))] },
  };
  return new uPlot(options, data, canvas);
}

const figures = [...document.querySelectorAll("[data-chart]")];
const plots = new Map();

function drawAll() {
  for (const figure of figures) {
    plots.get(figure)?.destroy();
    plots.set(figure, draw(figure));
  }
}

let width = 0;
let waiting = 0;
addEventListener("resize", () => {
  if (width === innerWidth) return;  // a phone's address bar comes and goes
  width = innerWidth;
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(drawAll);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
if (window.uPlot) drawAll();
