// Makes the choices of each prediction clickable, and keeps the score in this browser. Works on any page, any number of times.
(() => {
  const KEY = "minires.predictions";
  const memory = (window.minires = window.minires || {});
  memory.predictions = memory.predictions || {};
  const read = () => {
    try { return JSON.parse(localStorage.getItem(KEY)) || {}; } catch { return memory.predictions; }
  };
  const write = (all) => {
    memory.predictions = all;
    try { localStorage.setItem(KEY, JSON.stringify(all)); } catch { /* only for as long as the page is open */ }
  };
  const chapter = (id) => id.split(".")[0];
  const right = (all, ids) => ids.filter((id) => all[id] && all[id].right).length;

  function showScores() {
    const all = read();
    document.querySelectorAll(".minires-score[data-ids]").forEach((box) => {
      const ids = JSON.parse(box.dataset.ids);
      const made = ids.filter((id) => all[id]).length;
      box.querySelector("[role=status]").textContent =
        `Chapter ${chapter(ids[0] || "")}: ${right(all, ids)} of ${ids.length} predictions right, ${ids.length - made} not made. ` +
        "The score is kept in this browser only.";
      let again = box.querySelector("button");
      if (!again && made) {
        again = document.createElement("button");
        again.textContent = "Start this chapter's score again";
        again.onclick = () => {
          const kept = read();
          ids.forEach((id) => delete kept[id]);
          write(kept);
          again.remove();
          showScores();
        };
        box.append(again);
      }
    });
  }

  function setUp(box) {
    box.dataset.ready = "yes";
    const facts = JSON.parse(box.dataset.facts);
    const details = box.querySelector("details");
    const status = document.createElement("p");
    status.setAttribute("role", "status");
    status.style.fontWeight = "bold";
    details.before(status);

    function guess(value, isRight) {
      const all = read();
      all[facts.id] = all[facts.id] || { guess: value, right: isRight }; // the first guess counts
      write(all);
      const made = Object.keys(all).filter((id) => chapter(id) === chapter(facts.id));
      status.textContent = `${isRight ? "✓ Right" : "✗ Not this time"}. In this chapter: ${right(all, made)} of ${made.length} right so far.`;
      box.querySelectorAll("ol button").forEach((button, i) => {
        if (i + 1 === facts.answer) button.style.outline = "2px solid #009e73";
      });
      details.open = true;
      showScores();
    }

    box.querySelectorAll("ol > li").forEach((item, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.style.cssText = "font: inherit; text-align: left; cursor: pointer; padding: 0.2em 0.6em; margin: 0.1em 0";
      button.append(...item.childNodes);
      button.onclick = () => {
        box.querySelectorAll("ol button").forEach((other) => other.setAttribute("aria-pressed", other === button));
        guess(i + 1, i + 1 === facts.answer);
      };
      item.append(button);
    });
    if (facts.number !== null) {
      const form = document.createElement("form");
      form.innerHTML = "<label>Your guess: <input inputmode='decimal' size='8'></label> <button>Check</button>";
      form.onsubmit = (event) => {
        event.preventDefault();
        const value = parseFloat(form.querySelector("input").value.replace(",", "."));
        if (!Number.isNaN(value)) guess(value, Math.abs(value - facts.number) <= facts.within + 1e-9 * Math.abs(facts.number));
      };
      form.onkeydown = (event) => event.stopPropagation(); // a notebook's shortcuts stay out of it
      details.before(form);
    }
    const before = read()[facts.id];
    if (before) status.textContent = `You guessed before: ${before.right ? "right" : "not right"}.`;
  }

  // JupyterLab takes the facts away from a page that it does not trust; what is left works without a script.
  document.querySelectorAll(".minires-predict[data-facts]:not([data-ready])").forEach(setUp);
  showScores();
})();
