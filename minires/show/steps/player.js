// The player of a stepper: it shows frames that Python computed, and computes nothing itself.
(() => {
function make(tag, properties, attributes = {}, ...inside) {
  const element = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

function start(root) {
  root.classList.add("minires-live");
  root.dataset.lmSuppressShortcuts = "true"; // otherwise JupyterLab takes the arrow keys for itself
  const data = JSON.parse(root.dataset.steps);
  const picture = root.querySelector("img");
  const bytes = Uint8Array.from(atob(picture.src.split(",")[1]), c => c.charCodeAt(0));
  const parsed = new DOMParser().parseFromString(new TextDecoder().decode(bytes), "image/svg+xml");
  const svg = document.importNode(parsed.documentElement, true);
  svg.setAttribute("aria-label", data.title);
  const slots = data.slots.map(slot => {
    const [name, attribute] = slot.split(".");
    return [svg.querySelector(`[data-name="${name}"]`), attribute];
  });
  let run = data.runs[0], step = 0, timer = null;

  // A text is the number of a template, or that number and what goes into its gaps.
  function text(packed) {
    const [template, ...gaps] = [].concat(packed);
    return data.templates[template].replace(/\{\}/g, gap => gaps.length ? gaps.shift() : gap);
  }

  function show(wanted) {
    step = Math.max(0, Math.min(wanted, run.length - 1));
    const values = data.base.slice();
    for (const frame of run.slice(0, step + 1))
      for (let i = 1; i < frame.length; i += 2) values[frame[i]] = frame[i + 1];
    values.forEach((packed, slot) => {
      const value = text(packed), [element, attribute] = slots[slot];
      if (attribute === "text") element.textContent = value;
      else element.setAttribute(attribute, value);
    });
    say.textContent = text(run[step][0]);
    count.textContent = `Step ${step + 1} of ${run.length}`;
    slider.max = run.length - 1;
    slider.value = step;
    slider.setAttribute("aria-valuetext", count.textContent);
    // A disabled button would lose the focus, and the arrow keys with it.
    back.setAttribute("aria-disabled", step === 0);
    next.setAttribute("aria-disabled", step === run.length - 1);
    if (timer && step === run.length - 1) stop();
  }

  // The end stays the end when another run is chosen.
  function choose() {
    const atEnd = data.atEnd && step === run.length - 1;
    let index = 0;
    controls.forEach(({input, choice, value}) => {
      index = index * choice.values.length + Number(input.value);
      value.textContent = choice.values[input.value];
      if (choice.slider) input.setAttribute("aria-valuetext", value.textContent);
    });
    run = data.runs[index];
    show(atEnd ? run.length - 1 : data.atEnd ? step : 0);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }

  // Nothing moves until somebody asks for it.
  function toggle() {
    if (timer) return stop();
    if (step === run.length - 1) show(0);
    play.textContent = "Pause";
    timer = setInterval(() => root.isConnected ? show(step + 1) : stop(), 1500);
  }

  const turn = to => { stop(); show(to); };
  const button = (textContent, onclick) => make("button", {type: "button", textContent, onclick});
  const back = button("Back", () => turn(step - 1)), next = button("Next", () => turn(step + 1));
  const play = button("Play", toggle);
  const slider = make("input", {type: "range", min: 0, oninput: () => turn(Number(slider.value))}, {"aria-label": "Step"});
  const count = make("span", {}), say = make("p", {className: "say"}, {"aria-live": "polite"});
  const controls = data.choices.map(choice => {
    const options = choice.values.map((value, i) => make("option", {value: i, textContent: value}));
    const name = {"aria-label": choice.label};
    const input = choice.slider
      ? make("input", {type: "range", min: 0, max: options.length - 1, value: 0}, name)
      : make("select", {}, name, ...options);
    input.oninput = () => { stop(); choose(); };
    return {input, choice, value: make("b", {hidden: !choice.slider})};
  });
  const labels = controls.map(({input, choice, value}) => make("label", {}, {}, choice.label, input, value));
  const single = controls.length > 0 && data.runs.every(frames => frames.length === 1);
  const figure = make("figure", {tabIndex: 0}, {role: "group", "aria-label": `${data.title}. Use the arrow keys.`}, svg);
  const bars = [labels, single ? [] : [back, play, next, slider, count]]
    .map(parts => parts.length ? make("div", {className: "bar"}, {}, ...parts) : "");
  picture.remove();
  root.append(bars[0], figure, bars[1], say);

  // Where a run has one step only, the arrows move the first choice instead.
  root.addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey || /INPUT|SELECT/.test(event.target.tagName)) return;
    const {input, choice} = single ? controls[0] : {};
    const [at, last] = single ? [Number(input.value), choice.values.length - 1] : [step, run.length - 1];
    const to = {ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (!single) return turn(to);
    input.value = Math.max(0, Math.min(to, last)), choose();
  });
  if (data.atEnd) step = run.length - 1;
  choose();
}

// In a notebook that JupyterLab does not trust, nothing but the picture is left of a stepper.
document.querySelectorAll(".minires-steps[data-steps]:not(.minires-live)").forEach(start);
})();
