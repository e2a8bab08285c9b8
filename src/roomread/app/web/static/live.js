"use strict";

import { ask, fill, read } from "./asking.js";

const words = read("words");
const live = words.live;
const part = (id) => document.getElementById(id);
const EVERY = 200; // milliseconds between two pictures that are sent
const SIDE = 1280; // pixels, the longest side of a picture that is sent
const RGBA = { format: "RGBA" };
const SHORTEST = 120, LONGEST = 600; // seconds of the drawn course
const SENDER = "roomread-sender"; // in the session's storage: this page sends the pictures, and since when ...
const SENT_TO = "roomread-sent-to"; // ... and to which lesson, once that has a number
const RUNNING = ["opening", "running", "paused"];
const TAKEN_OVER = 4001; // another page sends the pictures now
const BLIND = 60, LOW = 120; // seconds, of the alerts
window.roomreadDelay = []; // milliseconds from a picture to its number on this page

let view = { state: "none", version: -1, course: [], markers: [], seats: null };
let course = [];
let camera = null;
let watched = null; // the websocket
let known = false; // whether this page knows what runs
let lowSince = null, blindSince = null;

const score = (value) => (value === null ? "–" : value.toFixed(2));
const percent = (share) => {
  if (share > 0 && share < 0.005) return "<1%";
  return share >= 0.995 && share < 1 ? ">99%" : `${Math.round(100 * share)}%`;
};
const clock = (seconds) => {
  if (seconds === null) return "–";
  const whole = Math.floor(seconds), two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
};
const nowMs = () => performance.timeOrigin + performance.now();

function problem(text) {
  part("problem").textContent = text;
  part("problem").hidden = !text;
}

async function attempt(action) {
  try {
    problem("");
    return await action();
  } catch (error) {
    problem(error.message);
    return null;
  }
}

// ---------------------------------------------------------------- the camera of this browser

async function openCamera() {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      video: { width: { ideal: 1280 }, height: { ideal: 720 } }, audio: false,
    });
    part("camera").srcObject = stream;
    await part("camera").play();
    return stream;
  } catch (error) {
    throw new Error(fill(live.no_camera, { reason: error.message || error.name }));
  }
}

function stop(stream) {
  stream.getTracks().forEach((track) => track.stop());
}

function closeCamera() {
  if (camera) {
    clearInterval(camera.timer);
    camera.line.close();
    stop(camera.stream);
  }
  camera = null;
  sessionStorage.removeItem(SENDER);
  sessionStorage.removeItem(SENT_TO);
}

// Sends again where this page did so before it was loaded anew, and the same lesson still wants it.
function resume() {
  const mine = [null, String(view.lesson)].includes(sessionStorage.getItem(SENT_TO));
  if (!sessionStorage.getItem(SENDER)) return;
  if (!mine || !view.sends || !RUNNING.includes(view.state)) closeCamera();
  else takeOver();
}

async function takeOver() {
  part("take-over").disabled = true;
  await attempt(async () => {
    const stream = await openCamera();
    if (view.sends && RUNNING.includes(view.state)) send(stream);
    else stop(stream); // the lesson has ended meanwhile
  });
  part("take-over").disabled = false;
  show();
}

function send(stream) {
  if (camera && camera.stream !== stream) stop(camera.stream);
  const line = new WebSocket(address("/api/live/frames"));
  line.binaryType = "arraybuffer";
  const video = part("camera");
  const paint = painter(video);
  let busy = false;
  const take = async () => {
    if (busy || line.readyState !== WebSocket.OPEN || line.bufferedAmount > 0 || !video.videoWidth) return;
    if (view.state === "paused") return;
    busy = true;
    try {
      const moment = nowMs();
      const picture = new Uint8Array(await (await paint()).arrayBuffer());
      const message = new Uint8Array(8 + picture.length);
      new DataView(message.buffer).setFloat64(0, moment / 1000, true);
      message.set(picture, 8);
      if (line.readyState !== WebSocket.OPEN) return;
      if (!sessionStorage.getItem(SENDER)) sessionStorage.setItem(SENDER, String(moment));
      line.send(message);
    } finally {
      busy = false;
    }
  };
  camera = { stream, line, timer: setInterval(take, EVERY) };
  line.addEventListener("close", (event) => {
    if (!camera || camera.line !== line) return;
    if (event.code === TAKEN_OVER) {
      closeCamera();
      show();
    } else if (RUNNING.includes(view.state)) {
      clearInterval(camera.timer);
      setTimeout(() => camera?.line === line && send(stream), 1000); // the connection broke, the lesson goes on
    }
  });
}

// Returns a function that resolves to what the camera shows now, as a JPEG.
function painter(video) {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  let pixels = null;
  return async () => {
    const scale = Math.min(1, SIDE / Math.max(video.videoWidth, video.videoHeight));
    const width = Math.round(video.videoWidth * scale), height = Math.round(video.videoHeight * scale);
    if (!pixels || pixels.width !== width || pixels.height !== height) {
      canvas.width = width;
      canvas.height = height;
      pixels = new ImageData(width, height);
    }
    if (scale === 1 && await copy(video, pixels)) pen.putImageData(pixels, 0, 0);
    else pen.drawImage(video, 0, 0, width, height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
  };
}

// Copies what a video shows, and resolves to whether this browser can. A picture that is drawn instead stays in
// Chromium's memory for a while: without a graphics card it keeps the last 130 of them, more than 450 MB.
async function copy(video, pixels) {
  let frame = null;
  try {
    frame = new VideoFrame(video);
    const upright = !frame.rotation && !frame.flip && frame.visibleRect.width === pixels.width;
    // a browser that cannot convert does not say so: it would copy as many bytes as the camera's own format has
    const converts = /^(I420|NV12|RGB)/.test(frame.format) && frame.allocationSize(RGBA) === pixels.data.length;
    if (upright && converts) await frame.copyTo(pixels.data, RGBA);
    return upright && converts;
  } catch {
    return false;
  } finally {
    frame?.close();
  }
}

const address = (path) => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;

// ---------------------------------------------------------------- what is seen

function watch() {
  watched = new WebSocket(address("/api/live/view"));
  watched.addEventListener("message", (event) => {
    if (part("problem").textContent === live.lost) problem("");
    take(JSON.parse(event.data));
  });
  watched.addEventListener("close", () => {
    problem(live.lost);
    setTimeout(watch, 1000);
  });
}

function take(news) {
  const fresh = news.lesson !== view.lesson && news.state !== "discarded";
  if (fresh || news.version < view.version) course = [];
  const first = news.course.length ? news.course[0][0] : Infinity;
  const oldest = (news.time ?? 0) - LONGEST - 10;
  course = course.filter((point) => point[0] < first && point[0] > oldest).concat(news.course);
  const before = view;
  view = news;
  if (!known) resume();
  known = true;
  if (camera && view.lesson) sessionStorage.setItem(SENT_TO, view.lesson);
  measureDelay(before);
  show();
}

function measureDelay(before) {
  const began = Number(sessionStorage.getItem(SENDER));
  if (!began || !camera || view.time === null || !before.time || view.time === before.time) return;
  window.roomreadDelay.push(nowMs() - began - 1000 * view.time);
  if (window.roomreadDelay.length > 5000) window.roomreadDelay.shift();
}

function show() {
  const running = RUNNING.includes(view.state);
  const over = ["ended", "failed", "discarded"].includes(view.state);
  const left = sessionStorage.getItem("roomread-another") === String(view.version) + view.name;
  part("setup").hidden = running || (over && !left);
  part("room").hidden = !running;
  part("over").hidden = !over || left;
  part("heading").textContent = running || (over && !left) ? view.name : live.title;
  if (over || view.state === "none") closeCamera();
  if (over) showEnd();
  if (running) showRoom();
}

function showEnd() {
  part("over-words").textContent = view.state === "failed" ? `${live.failed} ${view.error}` : live[view.state];
  part("to-lesson").hidden = !view.lesson || view.state === "discarded";
  part("to-lesson").href = `/lessons/${view.lesson}`;
}

function showRoom() {
  const waiting = view.state === "running" && view.source === "waiting";
  part("state").textContent = live[waiting ? "state_waiting" : `state_${view.state}`]
    + (view.sends && !camera ? ` · ${live.elsewhere}` : "");
  part("take-over").hidden = !view.sends || Boolean(camera);
  const reason = view.status && view.status !== "ok" ? words.missing[view.status] : null;
  part("now").textContent = reason ?? score(view.engagement);
  part("now").classList.toggle("none", Boolean(reason));
  const banded = view.low !== null && view.high !== null;
  part("now-words").textContent = live.engagement
    + (banded ? `, ${fill(live.band, { low: score(view.low), high: score(view.high) })}` : "");
  gauge(banded);
  const all = view.readable === null ? null : view.readable + view.unreadable;
  const round = (n) => String(Math.round(10 * n) / 10);
  part("readable").textContent = all === null ? "–" : fill(live.of, { readable: round(view.readable), all: round(all) });
  part("seats").textContent = view.seats ?? live.few;
  part("clock").textContent = clock(view.time);
  expressions();
  markers();
  drawCourse();
  part("rule").textContent = `${fill(live.formula, { mapping: view.mapping })} ${view.rule}`;
  part("notes").replaceChildren(...view.notes.map((note) => item(note)));
  part("pause").firstChild.textContent = `${view.state === "paused" ? live.go_on : live.pause} `;
  part("pause").setAttribute("aria-pressed", String(view.state === "paused"));
  warn();
}

function item(text) {
  const made = document.createElement("li");
  made.textContent = text;
  return made;
}

function gauge(banded) {
  const x = (value) => 4 + 292 * value;
  const dot = part("gauge-dot"), band = part("gauge-band");
  dot.setAttribute("visibility", view.engagement === null ? "hidden" : "visible");
  band.setAttribute("visibility", banded ? "visible" : "hidden");
  if (view.engagement !== null) dot.setAttribute("cx", x(view.engagement));
  if (banded) {
    band.setAttribute("x1", x(view.low));
    band.setAttribute("x2", x(view.high));
  }
}

function expressions() {
  const shares = Object.entries(view.emotions ?? {}).sort((one, other) => other[1] - one[1]);
  part("expressions").replaceChildren(...shares.map(([name, share]) => {
    const bar = document.createElement("span");
    bar.style.width = `${100 * share}%`;
    bar.style.background = `var(--emotion-${name})`;
    return bar;
  }));
  part("expressions-words").textContent =
    shares.slice(0, 3).map(([name, share]) => `${name} ${percent(share)}`).join(", ") || "–";
}

function markers() {
  const shown = part("marker-list").children.length;
  if (shown > view.markers.length) part("marker-list").replaceChildren();
  view.markers.slice(part("marker-list").children.length).forEach(([time, name]) => {
    part("marker-list").append(item(`${clock(time)} ${name}`));
  });
}

function shape(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  if (text !== undefined) made.textContent = text;
  return made;
}

function drawCourse() {
  const width = Math.max(300, part("course").clientWidth);
  const time = view.time ?? 0, span = Math.min(LONGEST, Math.max(SHORTEST, 60 * Math.ceil(time / 60)));
  const end = Math.max(span, time), begin = end - span, step = span / (width < 600 ? 3 : 6);
  const x = (moment) => 34 + ((width - 56) * (moment - begin)) / span, y = (value) => 10 + 150 * (1 - value);
  part("course").setAttribute("viewBox", `0 0 ${width} 190`);
  const drawn = [0, 0.5, 1].flatMap((value) => [
    shape("line", { class: "grid", x1: 34, x2: width - 22, y1: y(value), y2: y(value) }),
    shape("text", { class: "tick", x: 28, y: y(value) + 4, "text-anchor": "end" }, String(value)),
  ]);
  for (let moment = Math.ceil(begin / step) * step; moment <= end; moment += step) {
    drawn.push(shape("text", { class: "tick", x: x(moment), y: 182, "text-anchor": "middle" }, clock(moment)));
  }
  let stretch = [];
  const close = () => {
    const known = stretch.filter((point) => point[2] !== null);
    if (known.length > 1) {
      const upper = known.map((p) => `${x(p[0])},${y(p[3])}`), lower = known.map((p) => `${x(p[0])},${y(p[2])}`);
      drawn.push(shape("polygon", { class: "band", points: upper.concat(lower.reverse()).join(" ") }));
    }
    if (stretch.length) {
      drawn.push(shape("polyline", { class: "line", points: stretch.map((p) => `${x(p[0])},${y(p[1])}`).join(" ") }));
    }
    stretch = [];
  };
  course.filter((point) => point[0] >= begin).forEach((point) => {
    const gap = stretch.length && point[0] - stretch[stretch.length - 1][0] > 5;
    if (point[1] === null || gap) close();
    if (point[1] !== null) stretch.push(point);
  });
  close();
  view.markers.filter(([time]) => time >= begin).forEach(([time, name]) => {
    const line = shape("line", { class: "marker", x1: x(time), x2: x(time), y1: 10, y2: 160 });
    line.append(shape("title", {}, name));
    drawn.push(line);
  });
  part("course").replaceChildren(part("course-name"), ...drawn);
}

function warn() {
  const time = view.time ?? 0;
  blindSince = view.state !== "running" || view.status === "ok" ? null : blindSince ?? time;
  const known = course.map((point) => point[1]).filter((value) => value !== null).sort((a, b) => a - b);
  const middle = known[Math.floor(known.length / 2)];
  const low = known.length > 300 && view.high !== null && view.high < middle;
  lowSince = low ? lowSince ?? time : null;
  const text = blindSince !== null && time - blindSince >= BLIND ? live.alert_blind
    : lowSince !== null && time - lowSince >= LOW ? live.alert_low : "";
  const shown = part("alerts").checked ? text : "";
  if (part("alert").textContent !== shown) part("alert").textContent = shown;
  part("alert").hidden = !shown;
}

async function outline() {
  const wanted = part("picture").checked && view.state === "running";
  part("outline").hidden = !wanted;
  if (wanted) {
    const told = await fetch("/api/live/outline").then((answer) => answer.json())
      .catch(() => ({ picture: null, faces: [] }));
    if (told.picture) {
      part("outline-picture").src = told.picture;
      part("outline-seats").replaceChildren(...told.faces.map(([left, top, right, bottom]) => shape("rect", {
        x: 100 * left, y: 100 * top, width: 100 * (right - left), height: 100 * (bottom - top), rx: 1,
      })));
    }
    part("outline").hidden = !told.picture;
  }
  setTimeout(outline, 1000);
}

// ---------------------------------------------------------------- what is done

async function begin(event) {
  event.preventDefault();
  const form = new FormData(part("setup"));
  const button = part("begin");
  button.disabled = true;
  await attempt(async () => {
    const stream = form.get("source") === "browser" ? await openCamera() : null;
    const research = form.get("purpose") === "research";
    try {
      await ask("/api/live", "POST", {
        name: form.get("name"), purpose: form.get("purpose"), notice: part("notice").checked,
        reference: research && form.get("reference") ? form.get("reference") : null,
        source: form.get("source"), address: form.get("address") || null, mapping: form.get("mapping") || null,
      });
    } catch (error) {
      if (stream) stop(stream);
      throw error;
    }
    sessionStorage.removeItem(SENDER);
    sessionStorage.removeItem(SENT_TO);
    if (stream) send(stream);
  });
  button.disabled = false;
}

// Returns whether the marker is kept.
async function mark(name) {
  if (!name.trim() || !await attempt(() => ask("/api/live/markers", "POST", { name }))) return false;
  part("said").textContent = fill(live.marked, { name });
  return true;
}

function keys(event) {
  const typing = event.target.closest("input, select, textarea, dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || part("room").hidden) return;
  const button = [...document.querySelectorAll("button.mark")].find(
    (each) => each.getAttribute("aria-keyshortcuts") === event.key);
  if (button) button.click();
  else if (event.key === "p") part("pause").click();
  else return;
  event.preventDefault();
}

function defaults() {
  const today = new Date();
  part("name").value = `${live.name_default} ${today.toLocaleDateString("sv")} ${today.toTimeString().slice(0, 5)}`;
}

function fields() {
  const source = document.querySelector("input[name=source]:checked").value;
  part("address-field").hidden = source !== "address";
  part("address").required = source === "address";
  part("reference-field").hidden = part("purpose").value !== "research";
}

part("setup").addEventListener("submit", begin);
part("setup").addEventListener("change", fields);
document.querySelectorAll("button.mark").forEach((button) => {
  button.addEventListener("click", () => mark(button.dataset.name));
});
part("own-marker").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = part("own").value;
  mark(name).then((kept) => { if (kept && part("own").value === name) part("own").value = ""; });
});
part("pause").addEventListener("click", () => attempt(() => ask("/api/live/pause", "POST", { on: view.state !== "paused" })));
part("stop").addEventListener("click", () => attempt(() => ask("/api/live/stop", "POST")));
part("discard").addEventListener("click", () => part("sure").showModal());
part("sure").addEventListener("close", () => {
  if (part("sure").returnValue === "yes") attempt(() => ask("/api/live/discard", "POST"));
});
part("another").addEventListener("click", () => {
  sessionStorage.setItem("roomread-another", String(view.version) + view.name);
  defaults();
  show();
});
document.addEventListener("keydown", keys);
part("take-over").addEventListener("click", () => {
  sessionStorage.removeItem(SENDER);
  takeOver();
});
defaults();
fields();
watch();
outline();
