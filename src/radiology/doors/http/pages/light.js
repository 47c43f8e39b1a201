// The light viewer: the server makes the pictures, this shows them. Small and quick first, then sharp.
"use strict";

(() => {
  const data = JSON.parse(document.getElementById("study").textContent);
  const { base, series, texts } = data;
  const $ = (id) => document.getElementById(id);
  const stage = $("stage"), picture = $("picture"), slider = $("slider"), state = $("state"), preset = $("preset");

  const QUICK_SIDE = 512, QUICK_QUALITY = 30, SHARP_QUALITY = 90, DRAFT_SIDE = 320;
  const LONGEST_SIDE = 3072, LARGEST = 8, SHARP_AFTER = 250, KEPT = 240;
  const PRESETS = { brain: [40, 80], lung: [-600, 1500], bone: [500, 2000], abdomen: [40, 400], mediastinum: [50, 350] };

  let current = data.first, mode = "scroll", place = 0, images = null;
  let window_ = null, scale = 1, shift = [0, 0];
  let shown = "", sharpTimer = 0, drafting = false, wanted = null;
  const kept = new Map(); // Addresses of pictures to object URLs, oldest first.
  const lists = new Map(); // Series to its images: [SOP Instance UID, frame], one for each picture.

  // ---- Addresses ----

  const head = () => series[current];
  const known = () => images || [[head().sop, 1]];

  function address(index, side, quality) {
    const [sop, frame] = known()[images ? index : 0];
    let path = `${base}/series/${head().uid}/instances/${sop}/frames/${frame}/rendered?viewport=${side},${side}&quality=${quality}`;
    if (window_) path += `&window=${round(window_[0])},${round(window_[1])},linear`;
    return path;
  }

  const round = (value) => Math.round(value * 100) / 100;
  const quick = (index) => address(index, QUICK_SIDE, QUICK_QUALITY);

  function sharp(index) {
    const pixels = Math.max(stage.clientWidth, stage.clientHeight) * (devicePixelRatio || 1) * scale;
    const native = Math.max(head().rows || 0, head().columns || 0) || LONGEST_SIDE;
    const side = Math.min(LONGEST_SIDE, Math.max(QUICK_SIDE, native), Math.ceil(Math.max(pixels, QUICK_SIDE) / 256) * 256);
    return address(index, Math.min(side, Math.max(native, QUICK_SIDE)), SHARP_QUALITY);
  }

  // ---- Fetching: what is wanted now goes first, everything else waits or is given up ----

  let foreground = null, background = null;

  async function fetchPicture(path, controller) {
    if (kept.has(path)) return kept.get(path);
    const answer = await fetch(path, { signal: controller.signal, headers: { Accept: "image/jpeg" } });
    if (answer.status === 401) throw Object.assign(new Error("ended"), { ended: true });
    if (!answer.ok) throw new Error(String(answer.status));
    const url = URL.createObjectURL(await answer.blob());
    keep(path, url);
    return url;
  }

  function keep(path, url) {
    kept.set(path, url);
    for (const [oldest, held] of kept) {
      if (kept.size <= KEPT) break;
      if (held === picture.src) continue;
      URL.revokeObjectURL(held);
      kept.delete(oldest);
    }
  }

  async function put(path, url) {
    picture.src = url;
    shown = path;
    try { await picture.decode(); } catch { /* another picture came meanwhile */ }
    stage.dataset.shown = path; // What is on the screen, for whoever looks from outside.
  }

  async function show() {
    tell();
    if (head().kind !== "image") return;
    const index = place, wished = quick(index), best = sharp(index);
    foreground?.abort();
    background?.abort();
    clearTimeout(sharpTimer);
    const controller = (foreground = new AbortController());
    try {
      if (!kept.has(best)) {
        if (!kept.has(wished)) say(texts.loading);
        await put(wished, await fetchPicture(wished, controller));
      }
      say("");
      if (controller !== foreground) return;
      sharpTimer = setTimeout(() => sharpen(index, best, controller), kept.has(best) ? 0 : SHARP_AFTER);
    } catch (error) {
      if (error.name !== "AbortError") fail(error);
    }
  }

  async function sharpen(index, path, controller) {
    try {
      if (!kept.has(path)) say(texts.sharper);
      await put(path, await fetchPicture(path, controller));
      say("");
      prefetch(index);
    } catch (error) {
      if (error.name !== "AbortError") fail(error);
    }
  }

  // The neighbours, small, one after the other: enough for a thin line, and given up at the next wish.
  async function prefetch(index) {
    const controller = (background = new AbortController());
    const count = known().length;
    for (let step = 1; step <= 12; step++) {
      for (const next of [index + step, index - step]) {
        if (next < 0 || next >= count) continue;
        try { await fetchPicture(quick(next), controller); } catch { return; }
      }
    }
  }

  // While a finger changes the contrast: one small draft at a time, always the latest.
  async function draft() {
    if (drafting) { wanted = true; return; }
    drafting = true;
    foreground?.abort();
    clearTimeout(sharpTimer);
    const controller = (foreground = new AbortController());
    try {
      do {
        wanted = false;
        const path = address(place, DRAFT_SIDE, QUICK_QUALITY);
        await put(path, await fetchPicture(path, controller));
      } while (wanted);
    } catch (error) {
      if (error.name !== "AbortError") fail(error);
    }
    drafting = false;
  }

  // ---- Words ----

  function say(text) { state.textContent = text; state.className = ""; }

  function fail(error) {
    state.className = "wrong";
    state.textContent = error.ended ? texts.ended + " " : texts.failed;
    if (error.ended) {
      const again = document.createElement("a");
      again.href = "/login?next=" + encodeURIComponent(location.pathname);
      again.textContent = texts.signIn;
      state.append(again);
    }
  }

  function tell() {
    const count = images ? images.length : head().images;
    const number = images ? place + 1 : head().place + 1;
    slider.max = String(count);
    slider.value = String(number);
    slider.disabled = count < 2 || head().kind !== "image";
    $("count").textContent = `${number} ${texts.of} ${count}`;
    slider.setAttribute("aria-valuetext", `${texts.image} ${number} ${texts.of} ${count}`);
    const level = window_ || head().window;
    $("corner").textContent = head().title + (level ? `\nC ${Math.round(level[0])}  W ${Math.round(level[1])}` : "");
    stage.setAttribute("aria-label", `${head().title}, ${texts.image} ${number} ${texts.of} ${count}`);
    picture.alt = `${head().title}, ${number} ${texts.of} ${count}`;
  }

  // ---- Series, image, window, size ----

  async function choose(index, { keepPicture = false } = {}) {
    current = index;
    images = lists.get(index) || null;
    place = images ? Math.min(head().place, images.length - 1) : 0;
    window_ = null;
    resize(1, [0, 0], false);
    const isImage = head().kind === "image";
    picture.hidden = !isImage;
    $("paper").hidden = isImage;
    if (!isImage) $("paper").href = `${base}/series/${head().uid}/instances/${head().sop}/rendered`;
    if (!isImage) say("");
    for (const each of $("modes").children) each.disabled = !isImage;
    presets();
    for (const [number, tile] of [...$("strip").children].entries()) {
      tile.setAttribute("aria-selected", String(number === index));
      tile.tabIndex = number === index ? 0 : -1;
      if (number === index) tile.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    if (keepPicture) tell(); else show();
    if (isImage && !images) await list(index);
  }

  async function list(index) {
    try {
      const answer = await fetch(`/light/${data.study}/${series[index].uid}`);
      if (!answer.ok) throw Object.assign(new Error(String(answer.status)), { ended: answer.status === 401 });
      const flat = [];
      let start = 0;
      for (const [number, [sop, frames]] of (await answer.json()).entries()) {
        if (number === series[index].place) start = flat.length;
        for (let frame = 1; frame <= frames; frame++) flat.push([sop, frame]);
      }
      lists.set(index, flat);
      if (index !== current) return;
      images = flat;
      place = start;
      show();
    } catch (error) {
      fail(error);
    }
  }

  function go(index) {
    if (!images || head().kind !== "image") return;
    const next = Math.max(0, Math.min(images.length - 1, index));
    if (next === place) return;
    place = next;
    show();
  }

  function presets() {
    const ct = head().modality === "CT" && head().window;
    const names = head().window ? ["original", ...(ct ? Object.keys(PRESETS) : [])] : ["original"];
    preset.replaceChildren(...names.map((name) => new Option(texts[name], name)));
    preset.disabled = names.length < 2;
    const button = $("modes").querySelector("[data-mode=contrast]");
    button.disabled = !head().window;
    if (button.disabled && mode === "contrast") setMode("scroll");
  }

  function setWindow(center, width, final) {
    if (!head().window) return;
    window_ = [center, Math.max(1, width)];
    tell();
    if (final) show(); else draft();
  }

  function adjust(brighter, wider, final) {
    if (!head().window) return;
    const [center, width] = window_ || head().window;
    setWindow(center - brighter * width, width * (1 + wider), final);
  }

  function resize(next, at, sharper = true) {
    scale = Math.max(1, Math.min(LARGEST, next));
    const limit = (length) => (length * (scale - 1)) / 2;
    const clamp = (value, most) => Math.max(-most, Math.min(most, value));
    shift = [clamp(at[0], limit(stage.clientWidth)), clamp(at[1], limit(stage.clientHeight))];
    picture.style.transform = scale === 1 ? "" : `translate(${shift[0]}px, ${shift[1]}px) scale(${scale})`;
    stage.dataset.scale = String(scale);
    if (!sharper) return;
    clearTimeout(sharpTimer);
    const path = sharp(place);
    if (path !== shown && foreground) sharpTimer = setTimeout(() => sharpen(place, path, foreground), SHARP_AFTER);
  }

  function zoom(factor, x = 0, y = 0) {
    const next = Math.max(1, Math.min(LARGEST, scale * factor));
    const ratio = next / scale;
    resize(next, [x - (x - shift[0]) * ratio, y - (y - shift[1]) * ratio]);
  }

  function reset() {
    window_ = null;
    preset.value = "original";
    resize(1, [0, 0], false);
    show();
  }

  function setMode(next) {
    mode = stage.dataset.mode = next;
    for (const each of $("modes").children) each.setAttribute("aria-pressed", String(each.dataset.mode === next));
  }

  // ---- Fingers, mouse, wheel ----

  const fingers = new Map();
  let begun = null, gap = 0, middle = [0, 0], lastTap = 0, changed = false;

  const fromMiddle = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
  };

  function two() {
    const [one, other] = [...fingers.values()];
    return [Math.hypot(one[0] - other[0], one[1] - other[1]), [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2]];
  }

  stage.addEventListener("pointerdown", (event) => {
    if (event.target.closest("a")) return;
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, fromMiddle(event));
    begun = { at: fromMiddle(event), place, window: window_ || head().window, shift, right: event.button === 2 };
    changed = false;
    if (fingers.size === 2) [gap, middle] = two();
  });

  stage.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, fromMiddle(event));
    if (fingers.size === 2) {
      const [wide, center] = two();
      zoom(wide / (gap || wide), center[0], center[1]);
      resize(scale, [shift[0] + center[0] - middle[0], shift[1] + center[1] - middle[1]]);
      [gap, middle] = [wide, center];
      return;
    }
    drag(fromMiddle(event));
  });

  function drag(now) {
    const [across, down] = [now[0] - begun.at[0], now[1] - begun.at[1]];
    if (Math.hypot(across, down) < 4 && !changed) return;
    changed = true;
    const doing = begun.right ? "contrast" : mode;
    if (doing === "scroll") {
      const step = Math.max(4, Math.min(24, stage.clientHeight / Math.max(1, known().length)));
      go(begun.place + Math.round(down / step));
    } else if (doing === "contrast" && begun.window) {
      const [center, width] = begun.window;
      const wide = width * Math.exp((across / stage.clientWidth) * 2);
      setWindow(center + (down / stage.clientHeight) * width, wide, false);
    } else if (doing === "move") {
      resize(scale, [begun.shift[0] + across, begun.shift[1] + down]);
    }
  }

  function lift(event) {
    if (!fingers.delete(event.pointerId) || fingers.size) return;
    if (changed && window_ && (mode === "contrast" || begun.right)) show();
    if (!changed && event.timeStamp - lastTap < 300) zoom(scale > 1 ? 1 / scale : 2.5, ...fromMiddle(event));
    lastTap = changed ? 0 : event.timeStamp;
  }
  stage.addEventListener("pointerup", lift);
  stage.addEventListener("pointercancel", lift);
  stage.addEventListener("contextmenu", (event) => event.preventDefault());

  let turned = 0;
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.ctrlKey) return zoom(Math.exp(-event.deltaY / 300), ...fromMiddle(event));
    turned += event.deltaMode ? event.deltaY * 40 : event.deltaY;
    const steps = Math.trunc(turned / 40);
    turned -= steps * 40;
    if (steps) go(place + steps);
  }, { passive: false });

  // ---- Keys ----

  const KEYS = {
    ArrowDown: () => go(place + 1), ArrowUp: () => go(place - 1),
    PageDown: () => go(place + 10), PageUp: () => go(place - 10),
    Home: () => go(0), End: () => go(known().length - 1),
    ArrowRight: () => current + 1 < series.length && choose(current + 1),
    ArrowLeft: () => current > 0 && choose(current - 1),
    "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: reset,
    "]": () => adjust(0.1, 0, true), "[": () => adjust(-0.1, 0, true),
    "}": () => adjust(0, -0.15, true), "{": () => adjust(0, 0.15, true),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("select, input") || !(event.key in KEYS)) return;
    event.preventDefault();
    KEYS[event.key]();
  });

  // ---- The rest of the page ----

  slider.addEventListener("input", () => go(Number(slider.value) - 1));
  $("modes").addEventListener("click", (event) => event.target.dataset.mode && setMode(event.target.dataset.mode));
  $("larger").addEventListener("click", () => zoom(1.4));
  $("smaller").addEventListener("click", () => zoom(1 / 1.4));
  $("reset").addEventListener("click", reset);
  $("full").href = `/viewer/viewer?StudyInstanceUIDs=${data.study}`;
  preset.addEventListener("change", () => {
    if (preset.value !== "original") return setWindow(...PRESETS[preset.value], true);
    window_ = null;
    show();
  });

  $("strip").append(...series.map((each, index) => {
    const tile = document.createElement("button");
    const name = document.createElement("span");
    tile.type = "button";
    tile.setAttribute("role", "option");
    tile.setAttribute("aria-label", `${each.title}, ${each.modality}, ${each.images}`);
    name.textContent = `${each.title} (${each.images})`;
    if (each.kind === "image") {
      const small = new Image();
      small.alt = "";
      small.loading = "lazy";
      small.dataset.src = `${base}/series/${each.uid}/instances/${each.sop}/thumbnail?viewport=128,128`;
      tile.append(small);
    }
    tile.append(name);
    tile.addEventListener("click", () => choose(index));
    return tile;
  }));

  // The first picture has the line for itself; thumbnails come when it is there.
  function thumbnails() {
    for (const small of document.querySelectorAll("img[data-src]")) small.src = small.dataset.src;
  }

  setMode("scroll");
  if (!series.length) return;
  const ready = picture.getAttribute("src") && !picture.complete
    ? new Promise((resolve) => { picture.onload = picture.onerror = resolve; }) : Promise.resolve();
  choose(current, { keepPicture: head().kind === "image" });
  ready.then(() => setTimeout(thumbnails, 50));
})();
