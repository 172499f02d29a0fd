// Charts of the snapshot: one uPlot each, kept and fed. Knows no other part of the page.
"use strict";

const Charts = (() => {
  const NAMED = 4; // series with a colour; the others are grey
  const LISTED = 2; // of them in the legend, when there are more than it has room for
  const HEIGHT = 118;
  const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800,
    3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000];
  const minute = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const plots = new Map(); // name → {plot, shape, host, legend}
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const last = (values) => {
    for (let i = values.length - 1; i >= 0; i--) if (values[i] !== null) return values[i];
    return null;
  };

  // The most extreme come first: of forty hosts it is the wrong ones that one wants to see named.
  function order(series) {
    return Object.keys(series).sort((a, b) => Math.abs(last(series[b]) ?? 0) - Math.abs(last(series[a]) ?? 0));
  }

  function options(chart, names, width, format) {
    const soft = colour("--soft"), grid = colour("--faint"), grey = colour("--muted-line");
    const steps = chart.unit === "s" ? { incrs: SECONDS } : {};
    const axis = { stroke: soft, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "11px system-ui" };
    return {
      width, height: HEIGHT, legend: { show: false }, padding: [6, 16, 0, 0],
      cursor: { y: false, points: { size: 5 } },
      axes: [{ ...axis, size: 22, space: 60, values: (_, ticks) => ticks.map(minute) },
             { ...axis, ...steps, size: 58, space: 28, values: (_, ticks) => ticks.map((v) => format(v, chart.unit)) }],
      scales: { x: { time: true }, y: { range: (_, low, high) => range(low, high) } },
      series: [{}, ...names.map((name, i) => ({
        label: name, spanGaps: true, width: i < NAMED ? 1.6 : 1,
        stroke: i < NAMED ? colour(`--s${i + 1}`) : grey, points: { show: chart.t.length < 8, size: 4 },
      }))],
      hooks: { draw: [(plot) => limits(plot, chart)] },
    };
  }

  function range(low, high) {
    if (low === null || high === null) return [0, 1];
    const pad = (high - low) * 0.12 || Math.abs(high) * 0.1 || 1;
    return [low >= 0 ? Math.max(0, low - pad) : low - pad, high + pad];
  }

  // Thresholds are drawn where the data come near them; they must not flatten the data.
  function limits(plot, chart) {
    for (const [limit, name] of [[chart.warn, "--warn"], [chart.page, "--page"]]) {
      if (limit === null || limit < plot.scales.y.min || limit > plot.scales.y.max) continue;
      const y = Math.round(plot.valToPos(limit, "y", true)) + 0.5, { left, width } = plot.bbox;
      const ctx = plot.ctx;
      ctx.save();
      ctx.strokeStyle = colour(name);
      ctx.setLineDash([5, 4]);
      ctx.beginPath();
      ctx.moveTo(left, y);
      ctx.lineTo(left + width, y);
      ctx.stroke();
      ctx.restore();
    }
  }

  function show(name, chart, host, legend, format) {
    const names = order(chart.series);
    host.classList.toggle("none", names.length === 0);
    if (names.length === 0) {
      drop(name);
      host.textContent = "nothing measured yet";
      legend.replaceChildren();
      return;
    }
    const shape = JSON.stringify([names, host.clientWidth]);
    const data = [chart.t, ...names.map((n) => chart.series[n])];
    const kept = plots.get(name);
    if (kept && kept.shape === shape) kept.plot.setData(data);
    else {
      drop(name);
      host.textContent = "";
      plots.set(name, { shape, plot: new uPlot(options(chart, names, host.clientWidth, format), data, host) });
    }
    const listed = names.slice(0, LISTED).map((n, i) => entry(short(n, names), i, format(last(chart.series[n]), chart.unit)));
    const more = Object.assign(document.createElement("li"), { textContent: `+ ${names.length - LISTED} more` });
    legend.replaceChildren(...listed, ...(names.length > LISTED ? [more] : []));
  }

  // What all subjects have in common tells nobody which is which.
  function short(name, names) {
    const first = name.slice(0, name.indexOf("/") + 1);
    return names.length > 1 && names.every((other) => other.startsWith(first)) ? name.slice(first.length) : name;
  }

  function entry(name, place, value) {
    const item = document.createElement("li"), swatch = document.createElement("i");
    const label = document.createElement("span"), number = document.createElement("b");
    swatch.className = "swatch";
    swatch.dataset.n = place + 1;
    label.textContent = name;
    number.textContent = value;
    item.append(swatch, label, number);
    return item;
  }

  function drop(name) {
    plots.get(name)?.plot.destroy();
    plots.delete(name);
  }

  // A changed colour scheme needs other strokes: what is shown next is drawn anew.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => [...plots.keys()].forEach(drop));

  return { show };
})();
