// The console: shows each snapshot of /events and computes nothing of its own. Text reaches the page by textContent
// only. A part of the page is made anew when its part of the snapshot has changed.
"use strict";

const SILENT_MS = 3500;
const MOST = 6; // subjects of one alarm by name
const $ = (selector) => document.querySelector(selector);
const seen = new Map(); // part → the JSON it was made from
let heard = 0;

/* Values as people read them: the same words as monitoring/monitor.py's. */
const significant = (value) => {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
};
const scaled = (value, units) => {
  const [size, name] = units.find(([least]) => Math.abs(value) >= least) ?? units[units.length - 1];
  return `${significant(value / (size || 1))} ${name}`;
};
function format(value, unit) {
  if (value === null || value === undefined) return "–";
  switch (unit) {
    case "share": return `${significant(value * 100)} %`;
    case "s": return scaled(value, [[172800, "d"], [3600, "h"], [60, "min"], [0, "s"]]);
    case "us": return scaled(value, [[1e6, "s"], [1e3, "ms"], [0, "µs"]]);
    case "score": return value.toFixed(3);
    case "%": return `${significant(value)} %`;
    case "1/s": return `${significant(value)} /s`;
    default: return significant(value);
  }
}
const instant = (micros) => new Date(micros / 1000).toISOString().replace("T", " ").slice(0, 19);
const minute = (micros) => instant(micros).slice(5, 16);
const clock = (micros) => new Date(micros / 1000).toLocaleTimeString("en-GB");
const span = (micros) => format(Math.max(0, micros / 1e6), "s");
const signed = (seconds) => seconds === null ? "–" : (seconds > 0 ? "+" : "") + format(seconds, "s");

/* Elements: el("td", {class: "number"}, "text", child) */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null).map((child) => typeof child === "object" ? child : String(child)));
  return element;
}
const empty = (words) => el("p", { class: "empty" }, words);
const number = (text) => el("td", { class: "number" }, text);
const state = (text) => el("td", {}, el("span", { class: "state", "data-state": text }, text));

function table(caption, heads, bodies) {
  const titles = heads.map((head) => el("th", { scope: "col", class: head.startsWith("#") ? "number" : null }, head.replace("#", "")));
  return el("div", { class: "table", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {}, el("caption", {}, caption), el("thead", {}, el("tr", {}, ...titles)), ...bodies));
}
const row = (head, ...cells) => el("tr", {}, el("th", { scope: "row" }, head), ...cells);

// A deployment of one pipeline need not read its name in every row.
const named = ({ pipeline }, name, all) => all.some((other) => other.pipeline !== pipeline) ? `${pipeline} ${name}` : String(name);

function part(name, value, make) {
  const json = JSON.stringify(value);
  if (seen.get(name) === json) return;
  seen.set(name, json);
  make(value);
}

/* The parts */
function showClock(snapshot) {
  $("#virtual").textContent = instant(snapshot.virtual);
  $("#real").textContent = clock(snapshot.now);
  $("#rate").textContent = `${significant(snapshot.rate)} ×`;
}

function showSummary(active) {
  const pages = active.filter((alarm) => alarm.severity === "page").length, badge = $("#summary");
  badge.dataset.level = pages ? "page" : active.length ? "warn" : "clear";
  badge.textContent = active.length ? `${active.length} alarm${active.length > 1 ? "s" : ""}` : "all quiet";
  document.title = active.length ? `(${active.length}) Hotpath` : "Hotpath";
}

function showActive(active, now) {
  $("#active").hidden = active.length === 0;
  const groups = new Map();
  for (const alarm of active) {
    const key = `${alarm.monitor} ${alarm.level}`;
    groups.set(key, [...(groups.get(key) ?? []), alarm]);
  }
  $("#active .body").replaceChildren(...[...groups.values()].map(([first, ...others]) => el("article",
    { class: "alarm", "data-level": first.severity, "data-alarm": first.monitor },
    el("h3", {}, el("span", { class: "badge", "data-level": first.severity }, first.level === "silent" ? "no data" : first.severity), first.title),
    el("ul", {}, ...[first, ...others].slice(0, MOST).map((alarm) => subject(alarm, now)), others.length >= MOST ? el("li", {}, `+ ${others.length + 1 - MOST} more`) : null),
    first.todo ? el("p", { class: "todo" }, first.todo) : null)));
}
function subject(alarm, now) {
  return el("li", { "data-subject": alarm.subject }, el("strong", {}, alarm.subject),
    alarm.level === "silent" ? "" : ` ${format(alarm.value, alarm.unit)}`, el("span", { class: "soft" }, ` for ${span(now - alarm.since)}`));
}

const SITES = { onprem: "on-prem", line: "line", cloud: "cloud" };
function showArrow(arrow) {
  $("#arrow").replaceChildren(...arrow.map((station) => el("li",
    { class: "station", "data-site": station.site, "data-level": station.level, "data-station": station.name },
    el("div", { class: "head" }, el("h3", {}, station.title), el("span", { class: "site" }, SITES[station.site])),
    el("dl", {}, ...station.figures.map((figure) => el("div", { "data-figure": figure.monitor },
      el("dt", {}, figure.label), shownValue("dd", figure)))))));
}
const shownValue = (tag, figure) => el(tag,
  { class: figure.value === null ? "value none" : "value", "data-level": figure.level }, format(figure.value, figure.unit));

function showCharts(charts) {
  for (const [name, chart] of Object.entries(charts)) {
    let box = document.getElementById(`chart-${name}`);
    if (!box) {
      box = el("figure", { class: "chart", id: `chart-${name}` }, el("figcaption", {}, el("h3", {}, chart.title)),
        el("div", { class: "plot", role: "img", "aria-label": `${chart.title}, last 15 minutes` }), el("ul"));
      $("#charts").append(box);
    }
    Charts.show(name, chart, box.querySelector(".plot"), box.querySelector("ul"), format);
  }
}

function showModels(models) {
  $("#models .body").replaceChildren(models.length === 0
    ? empty("No model yet: the first training run waits for enough labelled rows.")
    : table("Models, newest first", ["sequence", "bundle", "state", "#age", "#metric", "#holdout", "#live", "#labelled"],
      [el("tbody", {}, ...models.map((model) => row(named(model, model.sequence, models),
        el("td", { title: model.bundle }, model.bundle.length > 20 ? `${model.bundle.slice(0, 19)}…` : model.bundle),
        el("td", { title: model.why }, el("span", { class: "state", "data-state": model.state }, model.state),
          ...(model.kind === "promote" ? [] : [" ", el("span", { class: "state", "data-state": model.kind }, model.kind)])),
        number(format(model.age_s, "s")), number(model.metric === null ? "–" : WORDS[model.metric] ?? model.metric),
        number(format(model.holdout, "score")), number(format(model.live, "score")), number(significant(model.labelled)))))]));
}

function showHosts(hosts) {
  $("#hosts .body").replaceChildren(hosts.length === 0
    ? empty("No host yet: the ledger begins with the first live events.")
    : table("Ledger of host clocks, wrong ones first", ["host", "state", "#offset", "#events", "last seen", "bad intervals"],
      [el("tbody", {}, ...hosts.map((host) => row(named(host, host.host, hosts), state(host.state),
        number(signed(host.offset_s)), number(significant(host.count)), el("td", {}, minute(host.last_seen)),
        el("td", { class: host.intervals.length ? null : "soft" }, intervals(host.intervals)))))]));
}
function intervals(all) {
  if (all.length === 0) return "none";
  const { since, until, offset_s: offset } = all[all.length - 1];
  const more = all.length > 1 ? `${all.length}, last ` : "";
  return `${more}${signed(offset)} from ${minute(since)}${until === null ? " on" : ` to ${minute(until)}`}`;
}

const COUNTS = [["answers", "count"], ["labelled", "count"], ["coverage", "share"]];
const WORDS = { auc: "AUC", pr_auc: "PR AUC", f1: "F1", f2: "F2", log_loss: "log loss", brier: "Brier", ks: "KS", calibration_error: "calibration error",
  macro_f1: "macro F1", macro_auc: "macro AUC", rmse: "RMSE", mae: "MAE", r2: "R²", median_error: "median error" };
// The groups' table must fit a page: the counts and the first of the metrics.
const COLUMNS = 8;
const BY = { maturity: "by time that labels had", age: "by age of the model", window: "by window", model: "by model" };
function showOutcomes(outcomes) {
  const known = Object.entries(outcomes).filter(([, figures]) => figures.all && figures.all.answers > 0);
  if (known.length === 0) return $("#outcomes .body").replaceChildren(empty("No outcome yet: no answer has landed."));
  $("#outcomes .body").replaceChildren(...known.flatMap(([pipeline, figures]) => {
    const quality = measured(figures), shown = quality.slice(0, COLUMNS);
    return [
      el("dl", { class: "scores", "aria-label": `Live quality of ${pipeline}` }, ...quality.map(([name, unit]) =>
        el("div", {}, el("dt", {}, WORDS[name] ?? name), el("dd", {}, format(figures.all[name], unit))))),
      table(`Outcomes of ${pipeline}`, ["group", ...shown.map(([name]) => `#${WORDS[name] ?? name}`)], groups(figures.by ?? {}, shown)),
    ];
  }));
}
// A yes or no, a class and a number are measured by different metrics: the snapshot names the pipeline's.
const measured = ({ metrics }) => [...COUNTS, ...metrics.map((name) => [name, "score"])];
function groups(by, quality) {
  return ["maturity", "age", "window"].filter((name) => by[name] && Object.keys(by[name]).length).map((name) => el("tbody", {},
    el("tr", {}, el("th", { scope: "rowgroup", colspan: quality.length + 1 }, BY[name])),
    ...Object.entries(by[name]).map(([group, found]) =>
      row(group, ...quality.map(([field, unit]) => number(format(found[field], unit)))))));
}

function showRecent(recent) {
  $("#recent .body").replaceChildren(recent.length === 0
    ? empty("Nothing has begun or ended since the monitoring process started.")
    : table("Alarms that began or ended, newest first", ["at", "what", "monitor", "subject", "says"],
      [el("tbody", {}, ...recent.map((alarm) => row(clock(alarm.at),
        el("td", {}, el("span", { class: "badge", "data-level": alarm.severity }, alarm.severity === "clear" ? "ended" : alarm.severity)),
        el("td", {}, alarm.monitor), el("td", {}, alarm.subject), el("td", { class: "wide soft" }, alarm.text))))]));
}

const ROWS = { arrow: "The arrow", quality: "Model quality and age", clocks: "Host clocks", scorer: "Scorer", machines: "Machines" };
function showMonitors(monitors) {
  $("#monitors .body").replaceChildren(...Object.entries(ROWS).flatMap(([name, title]) => [el("h3", {}, title),
    el("div", { class: "cells" }, ...monitors.filter((monitor) => monitor.row === name).map(cell))]));
}
function cell(monitor) {
  const worst = monitor.subjects.slice(0, 12).map((s) => `${s.subject}: ${format(s.value, monitor.unit)}`).join("\n");
  const limits = [["warn", monitor.warn], ["page", monitor.page]].filter(([, limit]) => limit !== null)
    .map(([name, limit]) => `${name} ${monitor.worse === "above" ? ">" : "<"} ${format(limit, monitor.unit)}`).join(", ");
  return el("div", { class: "cell", "data-monitor": monitor.name, "data-level": monitor.level, title: `${monitor.doc}\n\n${worst}` },
    el("span", { class: "title" }, monitor.title), shownValue("span", monitor), el("span", { class: "limits" }, limits));
}

function showPoints(points) {
  const odd = Object.entries(points).filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`);
  $("#points").textContent = odd.length ? `Points passed over: ${odd.join(", ")}.` : "";
}

function show(snapshot) {
  showClock(snapshot);
  part("summary", snapshot.alarms.active, showSummary);
  showActive(snapshot.alarms.active, snapshot.now);
  part("arrow", snapshot.arrow, showArrow);
  part("charts", snapshot.charts, showCharts);
  part("models", snapshot.models, showModels);
  part("hosts", snapshot.hosts, showHosts);
  part("outcomes", snapshot.outcomes, showOutcomes);
  part("recent", snapshot.alarms.recent, showRecent);
  part("monitors", snapshot.monitors, showMonitors);
  part("points", snapshot.points, showPoints);
}

/* The stream: EventSource comes back by itself; meanwhile the page says that its numbers are old. */
function stream(word) {
  $("#stream").textContent = $("#stream").dataset.state = word;
  document.body.classList.toggle("stale", word === "disconnected");
}
function listen() {
  const source = new EventSource("/events");
  source.onmessage = (event) => {
    heard = performance.now();
    show(JSON.parse(event.data));
    stream("live");
  };
  source.onerror = () => {
    stream("disconnected");
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  };
}
setInterval(() => { if (heard && performance.now() - heard > SILENT_MS) stream("disconnected"); }, 500);
const drawAnew = () => { if (seen.has("charts")) showCharts(JSON.parse(seen.get("charts"))); };
addEventListener("resize", drawAnew);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAnew);
listen();
