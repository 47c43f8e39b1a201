// How OHIF is set up here. `window.radiology` is written before this by the service: what this session may do.
"use strict";

(() => {
  const session = window.radiology || {};
  const ROOT = "/dicomweb";

  window.PUBLIC_URL = "/viewer/";
  window.browserImportFunction = (name) => import(name);
  console.time("scriptToView"); // OHIF ends this timer when the first picture is there.

  // The first context of WebGL starts the browser's graphics process. That takes a while, so it begins beside the
  // download of OHIF, and in a worker, where nobody waits for it.
  try {
    const start = new Blob(["new OffscreenCanvas(1, 1).getContext('webgl2'); setTimeout(close, 5000);"]);
    new Worker(URL.createObjectURL(start));
  } catch { /* It is only sooner. */ }

  // ---- What an image shows, from whatever attribute a machine has filled in ----

  const imageOf = (displaySet) => displaySet?.images?.[0] ?? displaySet?.instances?.[0] ?? displaySet?.instance ?? {};
  const firstOf = (sequence) => (Array.isArray(sequence) ? sequence[0] : sequence) ?? {};

  // CID 4014, in SNOMED CT and in the older SRT codes.
  const MAMMOGRAPHY_VIEWS = {
    399162004: "CC", "R-10242": "CC", 399368009: "MLO", "R-10226": "MLO", 399260004: "ML", "R-10224": "ML",
  };
  const SIDE = new Set(["LL", "RL", "LAT", "LATERAL", "LLO", "RLO"]);

  function lateralityOf(image) {
    const shared = firstOf(image.SharedFunctionalGroupsSequence);
    const anatomy = firstOf(shared.FrameAnatomySequence);
    return image.ImageLaterality || anatomy.FrameLaterality || image.Laterality || "";
  }

  function mammographyView(displaySet) {
    const image = imageOf(displaySet);
    if ((displaySet.Modality || image.Modality) !== "MG") return "";
    const view = MAMMOGRAPHY_VIEWS[firstOf(image.ViewCodeSequence).CodeValue] || image.ViewPosition || "";
    return lateralityOf(image) + view;
  }

  function projection(displaySet) {
    const image = imageOf(displaySet);
    const named = String(image.ViewPosition || "").toUpperCase();
    const described = `${firstOf(image.ViewCodeSequence).CodeMeaning || ""} ${displaySet.SeriesDescription || ""}`;
    return SIDE.has(named) || (!named && /\b(lat(eral)?|oblique)\b/i.test(described)) ? "SIDE" : "FRONT";
  }

  // What hangs: by the images of the study that is read, not by what a catalogue calls it.
  function kindOfStudy(study, options) {
    const shown = (options?.displaySets ?? []).filter(
      (each) => each.StudyInstanceUID === study.StudyInstanceUID && each.numImageFrames > 0,
    );
    const modalities = new Set(shown.map((each) => each.Modality));
    if (modalities.has("MG")) return "MG";
    if (modalities.has("CR") || modalities.has("DX")) return "XR";
    if (modalities.has("CT")) return "CT";
    if (modalities.has("MR")) return "MR";
    return "";
  }

  // ---- Hanging protocols ----

  const CURRENT = 0, PRIOR = 1;
  const equals = (attribute, value, more = {}) => ({ attribute, constraint: { equals: { value } }, required: true, ...more });
  const ofStudy = (index) => [equals("studyInstanceUIDsIndex", index, { from: "options" })];
  const withImages = { attribute: "numImageFrames", constraint: { greaterThan: { value: 0 } }, required: true };

  const selector = (index, ...rules) => ({
    studyMatchingRules: ofStudy(index),
    seriesMatchingRules: [{ weight: 1, ...withImages }, ...rules.map((rule) => ({ weight: 10, ...rule }))],
  });

  function viewport(id, { index = 0, area } = {}) {
    const options = { viewportType: "stack", toolGroupId: "default", allowUnmatchedView: true };
    if (area) options.displayArea = area;
    else options.initialImageOptions = { custom: "sopInstanceLocation" };
    return { viewportOptions: options, displaySets: [{ id, matchedDisplaySetsIndex: index }] };
  }

  const stage = (name, rows, columns, viewports, least = viewports.length) => ({
    name,
    stageActivation: { enabled: { minViewportsMatched: least } },
    viewportStructure: { layoutType: "grid", properties: { rows, columns } },
    viewports,
  });

  const protocol = (id, name, kind, displaySetSelectors, stages) => ({
    id, name, displaySetSelectors, stages,
    toolGroupIds: ["default"],
    numberOfPriorsReferenced: 0,
    protocolMatchingRules: [{ id, weight: 100, ...equals("radiologyKind", kind) }],
    defaultViewport: {
      viewportOptions: { viewportType: "stack", toolGroupId: "default", allowUnmatchedView: true },
      displaySets: [{ id: "any", matchedDisplaySetsIndex: -1 }],
    },
  });

  // The chest wall of each breast lies at the middle of the screen.
  const towards = (side) => ({
    storeAsInitialCamera: true,
    imageArea: [1, 1],
    imageCanvasPoint: { imagePoint: [side, 0.5], canvasPoint: [side, 0.5] },
  });
  const MIDDLE_OF_RIGHT_BREAST = towards(1), MIDDLE_OF_LEFT_BREAST = towards(0);
  const breast = (id) => viewport(id, { area: id[0] === "R" ? MIDDLE_OF_RIGHT_BREAST : MIDDLE_OF_LEFT_BREAST });
  const view = (index, name) => selector(index, equals("radiologyView", name));

  const mammography = protocol(
    "radiologyMammography", "Mammography, four views", "MG",
    {
      any: selector(CURRENT),
      RCC: view(CURRENT, "RCC"), LCC: view(CURRENT, "LCC"), RMLO: view(CURRENT, "RMLO"), LMLO: view(CURRENT, "LMLO"),
      RCCPrior: view(PRIOR, "RCC"), LCCPrior: view(PRIOR, "LCC"),
      RMLOPrior: view(PRIOR, "RMLO"), LMLOPrior: view(PRIOR, "LMLO"),
    },
    [
      stage("Four views", 2, 2, ["RCC", "LCC", "RMLO", "LMLO"].map(breast), 2),
      stage("CC with prior", 2, 2, ["RCC", "LCC", "RCCPrior", "LCCPrior"].map(breast), 3),
      stage("MLO with prior", 2, 2, ["RMLO", "LMLO", "RMLOPrior", "LMLOPrior"].map(breast), 3),
      stage("One image", 1, 1, [viewport("any")]),
    ],
  );

  const radiography = protocol(
    "radiologyRadiograph", "Radiographs, prior beside", "XR",
    {
      any: selector(CURRENT),
      front: selector(CURRENT, equals("radiologyProjection", "FRONT")),
      side: selector(CURRENT, equals("radiologyProjection", "SIDE")),
      prior: selector(PRIOR, equals("radiologyProjection", "FRONT")),
    },
    [
      stage("Both views and prior", 1, 3, [viewport("front"), viewport("side"), viewport("prior")]),
      stage("Both views", 1, 2, [viewport("front"), viewport("side")]),
      stage("With prior", 1, 2, [viewport("front"), viewport("prior")]),
      stage("Two images", 1, 2, [viewport("any"), viewport("any", { index: 1 })]),
      stage("One image", 1, 1, [viewport("any")]),
    ],
  );

  const sections = (id, name, kind, before) =>
    protocol(id, name, kind, {
      any: selector(CURRENT, equals("Modality", kind)),
      prior: selector(PRIOR, equals("Modality", kind)),
    }, [
      stage("With prior", 1, 2, [viewport("any"), viewport("prior")]),
      ...before,
      stage("One series", 1, 1, [viewport("any")]),
    ]);

  const ct = sections("radiologyCT", "CT", "CT", []);
  const mr = sections("radiologyMR", "MR", "MR", [
    stage("Four series", 2, 2, [0, 1, 2, 3].map((index) => viewport("any", { index }))),
    stage("Two series", 1, 2, [0, 1].map((index) => viewport("any", { index }))),
  ]);

  const protocols = [mammography, radiography, ct, mr];

  const extension = {
    id: "radiology",
    preRegistration({ servicesManager }) {
      const { hangingProtocolService } = servicesManager.services;
      hangingProtocolService.addCustomAttribute("radiologyKind", "Kind of study", kindOfStudy);
      hangingProtocolService.addCustomAttribute("radiologyView", "Mammography view", mammographyView);
      hangingProtocolService.addCustomAttribute("radiologyProjection", "Projection of a radiograph", projection);
    },
    getHangingProtocolModule: () => protocols.map((each) => ({ name: each.id, protocol: each })),
    // Nobody is taken on a tour.
    getCustomizationModule: () => [{ name: "global", value: { "ohif.tours": { $set: [] } } }],
  };

  // A link in metadata is absolute; behind a proxy it may name another host than the browser does.
  const local = (url) => url.replace(/^https?:\/\/[^/]+\/dicomweb\//, `${ROOT}/`);

  window.config = {
    name: "radiology",
    routerBasename: "/viewer",
    extensions: [extension],
    modes: [],
    modesConfiguration: {
      "@ohif/mode-longitudinal": { hangingProtocol: { $set: [...protocols.map((each) => each.id), "default"] } },
    },
    customizationService: {},
    // A session for one study shows no list, and no way to one.
    showStudyList: !session.onlyStudy,
    showPatientInfo: "visible",
    whiteLabeling: {
      createLogoComponentFn: (React) => React.createElement("span", { className: "text-foreground text-lg" }, "Radiology"),
    },
    maxNumberOfWebWorkers: 3,
    showWarningMessageForCrossOrigin: false,
    showCPUFallbackMessage: false,
    showLoadingIndicator: true,
    investigationalUseDialog: { option: "never" },
    experimentalStudyBrowserSort: false,
    strictZSpacingForVolumeViewport: true,
    groupEnabledModesFirst: true,
    allowMultiSelectExport: false,
    maxNumRequests: { interaction: 100, thumbnail: 5, prefetch: 25 },
    showErrorDetails: "production",
    defaultDataSourceName: "radiology",
    dataSources: [
      {
        namespace: "@ohif/extension-default.dataSourcesModule.dicomweb",
        sourceName: "radiology",
        configuration: {
          friendlyName: "This hospital",
          name: "radiology",
          wadoUriRoot: ROOT,
          qidoRoot: ROOT,
          wadoRoot: ROOT,
          qidoSupportsIncludeField: true,
          supportsFuzzyMatching: true,
          supportsWildcard: true,
          supportsStow: true,
          supportsReject: false,
          dicomUploadEnabled: false,
          imageRendering: "wadors",
          thumbnailRendering: "thumbnail",
          thumbnailRequestStrategy: "fetch",
          enableStudyLazyLoad: true,
          singlepart: "bulkdata,video,pdf",
          bulkDataURI: { enabled: true, transform: local },
          omitQuotationForMultipartRequest: true,
        },
      },
    ],
    // A session that has ended: sign in again, and come back to where one was.
    httpErrorHandler: (error) => {
      if (error?.status !== 401) return;
      const here = location.pathname + location.search;
      location.assign(`/login?next=${encodeURIComponent(here)}`);
    },
  };
})();
