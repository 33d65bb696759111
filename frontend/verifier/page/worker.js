// The check, off the page: a large archive never keeps the page from answering. Comes after wasm-bindgen's own code.
let ready;
onmessage = async ({ data }) => {
  if (data.wasm) {
    ready = wasm_bindgen({ module_or_path: data.wasm });
    return;
  }
  try {
    await ready;
    const tell = (progress) => postMessage({ id: data.id, progress });
    postMessage({ id: data.id, answer: wasm_bindgen.check(data.file, data.asked, tell) });
  } catch (error) {
    postMessage({ id: data.id, failed: String(error) });
  }
};
