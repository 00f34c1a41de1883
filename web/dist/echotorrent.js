import { api } from "/scripts/api.js";
import { app } from "/scripts/app.js";
// node_modules/@vue/shared/dist/shared.esm-bundler.js
/**
* @vue/shared v3.5.45
* (c) 2018-present Yuxi (Evan) You and Vue contributors
* @license MIT
**/
// @__NO_SIDE_EFFECTS__
function makeMap(str) {
	const map = /* @__PURE__ */ Object.create(null);
	for (const key of str.split(",")) map[key] = 1;
	return (val) => val in map;
}
var EMPTY_OBJ = {};
var EMPTY_ARR = [];
var NOOP = () => {};
var NO = () => false;
var isOn = (key) => key.charCodeAt(0) === 111 && key.charCodeAt(1) === 110 && (key.charCodeAt(2) > 122 || key.charCodeAt(2) < 97);
var isModelListener = (key) => key.startsWith("onUpdate:");
var extend$1 = Object.assign;
var remove = (arr, el) => {
	const i = arr.indexOf(el);
	if (i > -1) arr.splice(i, 1);
};
var hasOwnProperty$1 = Object.prototype.hasOwnProperty;
var hasOwn = (val, key) => hasOwnProperty$1.call(val, key);
var isArray = Array.isArray;
var isMap = (val) => toTypeString(val) === "[object Map]";
var isSet = (val) => toTypeString(val) === "[object Set]";
var isDate = (val) => toTypeString(val) === "[object Date]";
var isRegExp = (val) => toTypeString(val) === "[object RegExp]";
var isFunction = (val) => typeof val === "function";
var isString = (val) => typeof val === "string";
var isSymbol = (val) => typeof val === "symbol";
var isObject$1 = (val) => val !== null && typeof val === "object";
var isPromise = (val) => {
	return (isObject$1(val) || isFunction(val)) && isFunction(val.then) && isFunction(val.catch);
};
var objectToString = Object.prototype.toString;
var toTypeString = (value) => objectToString.call(value);
var toRawType = (value) => {
	return toTypeString(value).slice(8, -1);
};
var isPlainObject = (val) => toTypeString(val) === "[object Object]";
var isIntegerKey = (key) => isString(key) && key !== "NaN" && key[0] !== "-" && "" + parseInt(key, 10) === key;
var isReservedProp = /* @__PURE__ */ makeMap(",key,ref,ref_for,ref_key,onVnodeBeforeMount,onVnodeMounted,onVnodeBeforeUpdate,onVnodeUpdated,onVnodeBeforeUnmount,onVnodeUnmounted");
var cacheStringFunction = (fn) => {
	const cache = /* @__PURE__ */ Object.create(null);
	return ((str) => {
		return cache[str] || (cache[str] = fn(str));
	});
};
var camelizeRE = /-\w/g;
var camelize = /* @__PURE__ */ cacheStringFunction((str) => {
	return str.replace(camelizeRE, (c) => c.slice(1).toUpperCase());
});
var hyphenateRE = /\B([A-Z])/g;
var hyphenate = /* @__PURE__ */ cacheStringFunction((str) => str.replace(hyphenateRE, "-$1").toLowerCase());
var capitalize = /* @__PURE__ */ cacheStringFunction((str) => {
	return str.charAt(0).toUpperCase() + str.slice(1);
});
var toHandlerKey = /* @__PURE__ */ cacheStringFunction((str) => {
	return str ? `on${capitalize(str)}` : ``;
});
var hasChanged = (value, oldValue) => !Object.is(value, oldValue);
var invokeArrayFns = (fns, ...arg) => {
	for (let i = 0; i < fns.length; i++) fns[i](...arg);
};
var def = (obj, key, value, writable = false) => {
	Object.defineProperty(obj, key, {
		configurable: true,
		enumerable: false,
		writable,
		value
	});
};
var looseToNumber = (val) => {
	const n = parseFloat(val);
	return isNaN(n) ? val : n;
};
var _globalThis;
var getGlobalThis = () => {
	return _globalThis || (_globalThis = typeof globalThis !== "undefined" ? globalThis : typeof self !== "undefined" ? self : typeof window !== "undefined" ? window : typeof global !== "undefined" ? global : {});
};
function normalizeStyle(value) {
	if (isArray(value)) {
		const res = {};
		for (let i = 0; i < value.length; i++) {
			const item = value[i];
			const normalized = isString(item) ? parseStringStyle(item) : normalizeStyle(item);
			if (normalized) for (const key in normalized) res[key] = normalized[key];
		}
		return res;
	} else if (isString(value) || isObject$1(value)) return value;
}
var listDelimiterRE = /;(?![^(]*\))/g;
var propertyDelimiterRE = /:([^]+)/;
var styleCommentRE = /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|\\[^]|\/\*[^]*?\*\//g;
function parseStringStyle(cssText) {
	const ret = {};
	cssText.replace(styleCommentRE, (match) => match.startsWith("/*") ? "" : match).split(listDelimiterRE).forEach((item) => {
		if (item) {
			const tmp = item.split(propertyDelimiterRE);
			tmp.length > 1 && (ret[tmp[0].trim()] = tmp[1].trim());
		}
	});
	return ret;
}
function normalizeClass(value) {
	let res = "";
	if (isString(value)) res = value;
	else if (isArray(value)) for (let i = 0; i < value.length; i++) {
		const normalized = normalizeClass(value[i]);
		if (normalized) res += normalized + " ";
	}
	else if (isObject$1(value)) {
		for (const name in value) if (value[name]) res += name + " ";
	}
	return res.trim();
}
function normalizeProps(props) {
	if (!props) return null;
	let { class: klass, style } = props;
	if (klass && !isString(klass)) props.class = normalizeClass(klass);
	if (style) props.style = normalizeStyle(style);
	return props;
}
var isSpecialBooleanAttr = /* @__PURE__ */ makeMap(`itemscope,allowfullscreen,disablepictureinpicture,disableremoteplayback,formnovalidate,ismap,nomodule,novalidate,playsinline,readonly`);
function includeBooleanAttr(value) {
	return !!value || value === "";
}
function looseCompareArrays(a, b, seen) {
	if (a.length !== b.length) return false;
	let equal = true;
	for (let i = 0; equal && i < a.length; i++) equal = looseEqual(a[i], b[i], seen);
	return equal;
}
function looseCompareCollections(a, b, seen) {
	if (a.size !== b.size) return false;
	const candidates = Array.from(b);
	const matched = new Uint8Array(candidates.length);
	for (const item of a) {
		let index = -1;
		for (let i = 0; i < candidates.length; i++) if (!matched[i] && looseEqual(item, candidates[i], seen)) {
			index = i;
			break;
		}
		if (index < 0) return false;
		matched[index] = 1;
	}
	return true;
}
function looseCompareObjects(a, b, seen) {
	let aValidType = isMap(a);
	let bValidType = isMap(b);
	if (aValidType || bValidType) return aValidType && bValidType ? looseCompareCollections(a, b, seen) : false;
	aValidType = isSet(a);
	bValidType = isSet(b);
	if (aValidType || bValidType) return aValidType && bValidType ? looseCompareCollections(a, b, seen) : false;
	if (Object.keys(a).length !== Object.keys(b).length) return false;
	for (const key in a) {
		const aHasKey = a.hasOwnProperty(key);
		const bHasKey = b.hasOwnProperty(key);
		if (aHasKey && !bHasKey || !aHasKey && bHasKey || !looseEqual(a[key], b[key], seen)) return false;
	}
	return String(a) === String(b);
}
function looseCompareNested(a, b, seen, compare) {
	if (!seen) seen = [/* @__PURE__ */ new Map(), /* @__PURE__ */ new Map()];
	const [seenA, seenB] = seen;
	if (seenA.has(a) || seenB.has(b)) return seenA.get(a) === b && seenB.get(b) === a;
	seenA.set(a, b);
	seenB.set(b, a);
	const equal = compare(a, b, seen);
	seenA.delete(a);
	seenB.delete(b);
	return equal;
}
function looseEqual(a, b, seen) {
	if (a === b) return true;
	let aValidType = isDate(a);
	let bValidType = isDate(b);
	if (aValidType || bValidType) return aValidType && bValidType ? a.getTime() === b.getTime() : false;
	aValidType = isSymbol(a);
	bValidType = isSymbol(b);
	if (aValidType || bValidType) return a === b;
	aValidType = isArray(a);
	bValidType = isArray(b);
	if (aValidType || bValidType) return aValidType && bValidType ? looseCompareNested(a, b, seen, looseCompareArrays) : false;
	aValidType = isObject$1(a);
	bValidType = isObject$1(b);
	if (aValidType || bValidType) {
		if (!aValidType || !bValidType) return false;
		return looseCompareNested(a, b, seen, looseCompareObjects);
	}
	return String(a) === String(b);
}
function looseIndexOf(arr, val) {
	return arr.findIndex((item) => looseEqual(item, val));
}
var isRef$1 = (val) => {
	return !!(val && val["__v_isRef"] === true);
};
var toDisplayString = (val) => {
	return isString(val) ? val : val == null ? "" : isArray(val) || isObject$1(val) && (val.toString === objectToString || !isFunction(val.toString)) ? isRef$1(val) ? toDisplayString(val.value) : JSON.stringify(val, replacer, 2) : String(val);
};
var replacer = (_key, val) => {
	if (isRef$1(val)) return replacer(_key, val.value);
	else if (isMap(val)) return { [`Map(${val.size})`]: [...val.entries()].reduce((entries, [key, val2], i) => {
		entries[stringifySymbol(key, i) + " =>"] = val2;
		return entries;
	}, {}) };
	else if (isSet(val)) return { [`Set(${val.size})`]: [...val.values()].map((v) => stringifySymbol(v)) };
	else if (isSymbol(val)) return stringifySymbol(val);
	else if (isObject$1(val) && !isArray(val) && !isPlainObject(val)) return String(val);
	return val;
};
var stringifySymbol = (v, i = "") => {
	var _a;
	return isSymbol(v) ? `Symbol(${(_a = v.description) != null ? _a : i})` : v;
};
// node_modules/@vue/reactivity/dist/reactivity.esm-bundler.js
/**
* @vue/reactivity v3.5.45
* (c) 2018-present Yuxi (Evan) You and Vue contributors
* @license MIT
**/
var activeEffectScope;
var EffectScope = class {
	constructor(detached = false) {
		this.detached = detached;
		/**
		* @internal
		*/
		this._active = true;
		/**
		* @internal track `on` calls, allow `on` call multiple times
		*/
		this._on = 0;
		/**
		* @internal
		*/
		this.effects = [];
		/**
		* @internal
		*/
		this.cleanups = [];
		this._isPaused = false;
		this._warnOnRun = true;
		this.__v_skip = true;
		if (!detached && activeEffectScope) {
			if (activeEffectScope.active) {
				this.parent = activeEffectScope;
				this.index = (activeEffectScope.scopes || (activeEffectScope.scopes = [])).push(this) - 1;
			} else {
				this._active = false;
				this._warnOnRun = false;
			}
		}
	}
	get active() {
		return this._active;
	}
	pause() {
		if (this._active) {
			this._isPaused = true;
			let i, l;
			if (this.scopes) {
				const scopes = this.scopes.slice();
				for (i = 0, l = scopes.length; i < l; i++) scopes[i].pause();
			}
			for (i = 0, l = this.effects.length; i < l; i++) this.effects[i].pause();
		}
	}
	/**
	* Resumes the effect scope, including all child scopes and effects.
	*/
	resume() {
		if (this._active) {
			if (this._isPaused) {
				this._isPaused = false;
				let i, l;
				if (this.scopes) {
					const scopes = this.scopes.slice();
					for (i = 0, l = scopes.length; i < l; i++) scopes[i].resume();
				}
				const effects = this.effects.slice();
				for (i = 0, l = effects.length; i < l; i++) effects[i].resume();
			}
		}
	}
	run(fn) {
		if (this._active) {
			const currentEffectScope = activeEffectScope;
			try {
				activeEffectScope = this;
				return fn();
			} finally {
				activeEffectScope = currentEffectScope;
			}
		}
	}
	/**
	* This should only be called on non-detached scopes
	* @internal
	*/
	on() {
		if (++this._on === 1) {
			this.prevScope = activeEffectScope;
			activeEffectScope = this;
		}
	}
	/**
	* This should only be called on non-detached scopes
	* @internal
	*/
	off() {
		if (this._on > 0 && --this._on === 0) {
			if (activeEffectScope === this) activeEffectScope = this.prevScope;
			else {
				let current = activeEffectScope;
				while (current) {
					if (current.prevScope === this) {
						current.prevScope = this.prevScope;
						break;
					}
					current = current.prevScope;
				}
			}
			this.prevScope = void 0;
		}
	}
	stop(fromParent) {
		if (this._active) {
			this._active = false;
			let i, l;
			for (i = 0, l = this.effects.length; i < l; i++) this.effects[i].stop();
			this.effects.length = 0;
			for (i = 0, l = this.cleanups.length; i < l; i++) this.cleanups[i]();
			this.cleanups.length = 0;
			if (this.scopes) {
				const scopes = this.scopes.slice();
				for (i = 0, l = scopes.length; i < l; i++) scopes[i].stop(true);
				this.scopes.length = 0;
			}
			if (!this.detached && this.parent && !fromParent) {
				const last = this.parent.scopes.pop();
				if (last && last !== this) {
					this.parent.scopes[this.index] = last;
					last.index = this.index;
				}
			}
			this.parent = void 0;
		}
	}
};
function getCurrentScope() {
	return activeEffectScope;
}
var activeSub;
var pausedQueueEffects = /* @__PURE__ */ new WeakSet();
var ReactiveEffect = class {
	constructor(fn) {
		this.fn = fn;
		/**
		* @internal
		*/
		this.deps = void 0;
		/**
		* @internal
		*/
		this.depsTail = void 0;
		/**
		* @internal
		*/
		this.flags = 5;
		/**
		* @internal
		*/
		this.next = void 0;
		/**
		* @internal
		*/
		this.cleanup = void 0;
		this.scheduler = void 0;
		if (activeEffectScope) {
			if (activeEffectScope.active) activeEffectScope.effects.push(this);
			else this.flags &= -2;
		}
	}
	pause() {
		this.flags |= 64;
	}
	resume() {
		if (this.flags & 64) {
			this.flags &= -65;
			if (pausedQueueEffects.has(this)) {
				pausedQueueEffects.delete(this);
				this.trigger();
			}
		}
	}
	/**
	* @internal
	*/
	notify() {
		if (this.flags & 2 && !(this.flags & 32)) return;
		if (!(this.flags & 8)) batch(this);
	}
	run() {
		if (!(this.flags & 1)) return this.fn();
		this.flags |= 2;
		cleanupEffect(this);
		prepareDeps(this);
		const prevEffect = activeSub;
		const prevShouldTrack = shouldTrack;
		activeSub = this;
		shouldTrack = true;
		try {
			return this.fn();
		} finally {
			cleanupDeps(this);
			activeSub = prevEffect;
			shouldTrack = prevShouldTrack;
			this.flags &= -3;
		}
	}
	stop() {
		if (this.flags & 1) {
			for (let link = this.deps; link; link = link.nextDep) removeSub(link);
			this.deps = this.depsTail = void 0;
			cleanupEffect(this);
			this.onStop && this.onStop();
			this.flags &= -2;
		}
	}
	trigger() {
		if (this.flags & 64) pausedQueueEffects.add(this);
		else if (this.scheduler) this.scheduler();
		else this.runIfDirty();
	}
	/**
	* @internal
	*/
	runIfDirty() {
		if (isDirty(this)) this.run();
	}
	get dirty() {
		return isDirty(this);
	}
};
var batchDepth = 0;
var batchedSub;
var batchedComputed;
function batch(sub, isComputed = false) {
	sub.flags |= 8;
	if (isComputed) {
		sub.next = batchedComputed;
		batchedComputed = sub;
		return;
	}
	sub.next = batchedSub;
	batchedSub = sub;
}
function startBatch() {
	batchDepth++;
}
function endBatch() {
	if (--batchDepth > 0) return;
	if (batchedComputed) {
		let e = batchedComputed;
		batchedComputed = void 0;
		while (e) {
			const next = e.next;
			e.next = void 0;
			e.flags &= -9;
			e = next;
		}
	}
	let error;
	while (batchedSub) {
		let e = batchedSub;
		batchedSub = void 0;
		while (e) {
			const next = e.next;
			e.next = void 0;
			e.flags &= -9;
			if (e.flags & 1) try {
				e.trigger();
			} catch (err) {
				if (!error) error = err;
			}
			e = next;
		}
	}
	if (error) throw error;
}
function prepareDeps(sub) {
	for (let link = sub.deps; link; link = link.nextDep) {
		link.version = -1;
		link.prevActiveLink = link.dep.activeLink;
		link.dep.activeLink = link;
	}
}
function cleanupDeps(sub) {
	let head;
	let tail = sub.depsTail;
	let link = tail;
	while (link) {
		const prev = link.prevDep;
		if (link.version === -1) {
			if (link === tail) tail = prev;
			removeSub(link);
			removeDep(link);
		} else head = link;
		link.dep.activeLink = link.prevActiveLink;
		link.prevActiveLink = void 0;
		link = prev;
	}
	sub.deps = head;
	sub.depsTail = tail;
}
function isDirty(sub) {
	for (let link = sub.deps; link; link = link.nextDep) if (link.dep.version !== link.version || link.dep.computed && (refreshComputed(link.dep.computed) || link.dep.version !== link.version)) return true;
	if (sub._dirty) return true;
	return false;
}
function refreshComputed(computed) {
	if (computed.flags & 4 && !(computed.flags & 16)) return;
	computed.flags &= -17;
	if (computed.globalVersion === globalVersion) return;
	computed.globalVersion = globalVersion;
	if (!computed.isSSR && computed.flags & 128 && (!computed.deps && !computed._dirty || !isDirty(computed))) return;
	computed.flags |= 2;
	const dep = computed.dep;
	const prevSub = activeSub;
	const prevShouldTrack = shouldTrack;
	activeSub = computed;
	shouldTrack = true;
	try {
		prepareDeps(computed);
		const value = computed.fn(computed._value);
		if (dep.version === 0 || hasChanged(value, computed._value)) {
			computed.flags |= 128;
			computed._value = value;
			dep.version++;
		}
	} catch (err) {
		dep.version++;
		throw err;
	} finally {
		activeSub = prevSub;
		shouldTrack = prevShouldTrack;
		cleanupDeps(computed);
		computed.flags &= -3;
	}
}
function removeSub(link, soft = false) {
	const { dep, prevSub, nextSub } = link;
	if (prevSub) {
		prevSub.nextSub = nextSub;
		link.prevSub = void 0;
	}
	if (nextSub) {
		nextSub.prevSub = prevSub;
		link.nextSub = void 0;
	}
	if (dep.subs === link) {
		dep.subs = prevSub;
		if (!prevSub && dep.computed) {
			dep.computed.flags &= -5;
			for (let l = dep.computed.deps; l; l = l.nextDep) removeSub(l, true);
		}
	}
	if (!soft && !--dep.sc && dep.map) dep.map.delete(dep.key);
}
function removeDep(link) {
	const { prevDep, nextDep } = link;
	if (prevDep) {
		prevDep.nextDep = nextDep;
		link.prevDep = void 0;
	}
	if (nextDep) {
		nextDep.prevDep = prevDep;
		link.nextDep = void 0;
	}
}
var shouldTrack = true;
var trackStack = [];
function pauseTracking() {
	trackStack.push(shouldTrack);
	shouldTrack = false;
}
function resetTracking() {
	const last = trackStack.pop();
	shouldTrack = last === void 0 ? true : last;
}
function cleanupEffect(e) {
	const { cleanup } = e;
	e.cleanup = void 0;
	if (cleanup) {
		const prevSub = activeSub;
		activeSub = void 0;
		try {
			cleanup();
		} finally {
			activeSub = prevSub;
		}
	}
}
var globalVersion = 0;
var Link = class {
	constructor(sub, dep) {
		this.sub = sub;
		this.dep = dep;
		this.version = dep.version;
		this.nextDep = this.prevDep = this.nextSub = this.prevSub = this.prevActiveLink = void 0;
	}
};
var Dep = class {
	constructor(computed) {
		this.computed = computed;
		this.version = 0;
		/**
		* Link between this dep and the current active effect
		*/
		this.activeLink = void 0;
		/**
		* Doubly linked list representing the subscribing effects (tail)
		*/
		this.subs = void 0;
		/**
		* For object property deps cleanup
		*/
		this.map = void 0;
		this.key = void 0;
		/**
		* Subscriber counter
		*/
		this.sc = 0;
		/**
		* @internal
		*/
		this.__v_skip = true;
	}
	track(debugInfo) {
		if (!activeSub || !shouldTrack || activeSub === this.computed) return;
		let link = this.activeLink;
		if (link === void 0 || link.sub !== activeSub) {
			link = this.activeLink = new Link(activeSub, this);
			if (!activeSub.deps) activeSub.deps = activeSub.depsTail = link;
			else {
				link.prevDep = activeSub.depsTail;
				activeSub.depsTail.nextDep = link;
				activeSub.depsTail = link;
			}
			addSub(link);
		} else if (link.version === -1) {
			link.version = this.version;
			if (link.nextDep) {
				const next = link.nextDep;
				next.prevDep = link.prevDep;
				if (link.prevDep) link.prevDep.nextDep = next;
				link.prevDep = activeSub.depsTail;
				link.nextDep = void 0;
				activeSub.depsTail.nextDep = link;
				activeSub.depsTail = link;
				if (activeSub.deps === link) activeSub.deps = next;
			}
		}
		return link;
	}
	trigger(debugInfo) {
		this.version++;
		globalVersion++;
		this.notify(debugInfo);
	}
	notify(debugInfo) {
		startBatch();
		try {
			for (let link = this.subs; link; link = link.prevSub) if (link.sub.notify()) link.sub.dep.notify();
		} finally {
			endBatch();
		}
	}
};
function addSub(link) {
	link.dep.sc++;
	if (link.sub.flags & 4) {
		const computed = link.dep.computed;
		if (computed && !link.dep.subs) {
			computed.flags |= 20;
			for (let l = computed.deps; l; l = l.nextDep) addSub(l);
		}
		const currentTail = link.dep.subs;
		if (currentTail !== link) {
			link.prevSub = currentTail;
			if (currentTail) currentTail.nextSub = link;
		}
		link.dep.subs = link;
	}
}
var targetMap = /* @__PURE__ */ new WeakMap();
var ITERATE_KEY = /* @__PURE__ */ Symbol("");
var MAP_KEY_ITERATE_KEY = /* @__PURE__ */ Symbol("");
var ARRAY_ITERATE_KEY = /* @__PURE__ */ Symbol("");
function track(target, type, key) {
	if (shouldTrack && activeSub) {
		let depsMap = targetMap.get(target);
		if (!depsMap) targetMap.set(target, depsMap = /* @__PURE__ */ new Map());
		let dep = depsMap.get(key);
		if (!dep) {
			depsMap.set(key, dep = new Dep());
			dep.map = depsMap;
			dep.key = key;
		}
		dep.track();
	}
}
function trigger(target, type, key, newValue, oldValue, oldTarget) {
	const depsMap = targetMap.get(target);
	if (!depsMap) {
		globalVersion++;
		return;
	}
	const run = (dep) => {
		if (dep) dep.trigger();
	};
	startBatch();
	if (type === "clear") depsMap.forEach(run);
	else {
		const targetIsArray = isArray(target);
		const isArrayIndex = targetIsArray && isIntegerKey(key);
		if (targetIsArray && key === "length") {
			const newLength = Number(newValue);
			depsMap.forEach((dep, key2) => {
				if (key2 === "length" || key2 === ARRAY_ITERATE_KEY || !isSymbol(key2) && key2 >= newLength) run(dep);
			});
		} else {
			if (key !== void 0 || depsMap.has(void 0)) run(depsMap.get(key));
			if (isArrayIndex) run(depsMap.get(ARRAY_ITERATE_KEY));
			switch (type) {
				case "add":
					if (!targetIsArray) {
						run(depsMap.get(ITERATE_KEY));
						if (isMap(target)) run(depsMap.get(MAP_KEY_ITERATE_KEY));
					} else if (isArrayIndex) run(depsMap.get("length"));
					break;
				case "delete":
					if (!targetIsArray) {
						run(depsMap.get(ITERATE_KEY));
						if (isMap(target)) run(depsMap.get(MAP_KEY_ITERATE_KEY));
					}
					break;
				case "set": if (isMap(target)) run(depsMap.get(ITERATE_KEY));
			}
		}
	}
	endBatch();
}
function reactiveReadArray(array) {
	const raw = /* @__PURE__ */ toRaw(array);
	if (raw === array) return raw;
	track(raw, "iterate", ARRAY_ITERATE_KEY);
	if (/* @__PURE__ */ isShallow(array)) return raw;
	if (!/* @__PURE__ */ isReadonly(array)) return raw.map(toReactive);
	return /* @__PURE__ */ isReactive(array) ? raw.map((item) => toReadonly(toReactive(item))) : raw.map(toReadonly);
}
function shallowReadArray(arr) {
	track(arr = /* @__PURE__ */ toRaw(arr), "iterate", ARRAY_ITERATE_KEY);
	return arr;
}
function toWrapped(target, item) {
	if (/* @__PURE__ */ isReadonly(target)) return /* @__PURE__ */ isReactive(target) ? toReadonly(toReactive(item)) : toReadonly(item);
	return toReactive(item);
}
var arrayInstrumentations = {
	__proto__: null,
	[Symbol.iterator]() {
		return iterator(this, Symbol.iterator, (item) => toWrapped(this, item));
	},
	concat(...args) {
		return reactiveReadArray(this).concat(...args.map((x) => isArray(x) ? reactiveReadArray(x) : x));
	},
	entries() {
		return iterator(this, "entries", (value) => {
			value[1] = toWrapped(this, value[1]);
			return value;
		});
	},
	every(fn, thisArg) {
		return apply(this, "every", fn, thisArg, void 0, arguments);
	},
	filter(fn, thisArg) {
		return apply(this, "filter", fn, thisArg, (v) => v.map((item) => toWrapped(this, item)), arguments);
	},
	find(fn, thisArg) {
		return apply(this, "find", fn, thisArg, (item) => toWrapped(this, item), arguments);
	},
	findIndex(fn, thisArg) {
		return apply(this, "findIndex", fn, thisArg, void 0, arguments);
	},
	findLast(fn, thisArg) {
		return apply(this, "findLast", fn, thisArg, (item) => toWrapped(this, item), arguments);
	},
	findLastIndex(fn, thisArg) {
		return apply(this, "findLastIndex", fn, thisArg, void 0, arguments);
	},
	forEach(fn, thisArg) {
		return apply(this, "forEach", fn, thisArg, void 0, arguments);
	},
	includes(...args) {
		return searchProxy(this, "includes", args);
	},
	indexOf(...args) {
		return searchProxy(this, "indexOf", args);
	},
	join(separator) {
		return reactiveReadArray(this).join(separator);
	},
	lastIndexOf(...args) {
		return searchProxy(this, "lastIndexOf", args);
	},
	map(fn, thisArg) {
		return apply(this, "map", fn, thisArg, void 0, arguments);
	},
	pop() {
		return noTracking(this, "pop");
	},
	push(...args) {
		return noTracking(this, "push", args);
	},
	reduce(fn, ...args) {
		return reduce(this, "reduce", fn, args);
	},
	reduceRight(fn, ...args) {
		return reduce(this, "reduceRight", fn, args);
	},
	shift() {
		return noTracking(this, "shift");
	},
	some(fn, thisArg) {
		return apply(this, "some", fn, thisArg, void 0, arguments);
	},
	splice(...args) {
		return noTracking(this, "splice", args);
	},
	toReversed() {
		return reactiveReadArray(this).toReversed();
	},
	toSorted(comparer) {
		return reactiveReadArray(this).toSorted(comparer);
	},
	toSpliced(...args) {
		return reactiveReadArray(this).toSpliced(...args);
	},
	unshift(...args) {
		return noTracking(this, "unshift", args);
	},
	values() {
		return iterator(this, "values", (item) => toWrapped(this, item));
	}
};
function iterator(self, method, wrapValue) {
	const arr = shallowReadArray(self);
	const methodFn = arr[method];
	const iter = methodFn.call(arr);
	if (arr !== self && !/* @__PURE__ */ isShallow(self)) {
		if (iter[Symbol.toStringTag] === "Array Iterator") {
			const wrapped = Object.create(Object.getPrototypeOf(iter));
			wrapped.next = () => wrapResult(iter.next(), wrapValue);
			if (methodFn !== arrayProto[method]) Object.defineProperties(wrapped, {
				return: { get() {
					const fn = iter.return;
					return typeof fn === "function" ? fn.bind(iter) : fn;
				} },
				throw: { get() {
					const fn = iter.throw;
					return typeof fn === "function" ? fn.bind(iter) : fn;
				} }
			});
			return wrapped;
		}
		iter._next = iter.next;
		iter.next = () => wrapResult(iter._next(), wrapValue);
	}
	return iter;
}
function wrapResult(result, wrapValue) {
	if (!result.done) result.value = wrapValue(result.value);
	return result;
}
var arrayProto = Array.prototype;
function apply(self, method, fn, thisArg, wrappedRetFn, args) {
	const arr = shallowReadArray(self);
	const needsWrap = arr !== self && !/* @__PURE__ */ isShallow(self);
	const methodFn = arr[method];
	if (methodFn !== arrayProto[method]) {
		const result2 = methodFn.apply(self, args);
		return needsWrap ? toReactive(result2) : result2;
	}
	let wrappedFn = fn;
	if (arr !== self) {
		if (needsWrap) wrappedFn = function(item, index) {
			return fn.call(this, toWrapped(self, item), index, self);
		};
		else if (fn.length > 2) wrappedFn = function(item, index) {
			return fn.call(this, item, index, self);
		};
	}
	const result = methodFn.call(arr, wrappedFn, thisArg);
	return needsWrap && wrappedRetFn ? wrappedRetFn(result) : result;
}
function reduce(self, method, fn, args) {
	const arr = shallowReadArray(self);
	const needsWrap = arr !== self && !/* @__PURE__ */ isShallow(self);
	let wrappedFn = fn;
	let wrapInitialAccumulator = false;
	if (arr !== self) {
		if (needsWrap) {
			wrapInitialAccumulator = args.length === 0;
			wrappedFn = function(acc, item, index) {
				if (wrapInitialAccumulator) {
					wrapInitialAccumulator = false;
					acc = toWrapped(self, acc);
				}
				return fn.call(this, acc, toWrapped(self, item), index, self);
			};
		} else if (fn.length > 3) wrappedFn = function(acc, item, index) {
			return fn.call(this, acc, item, index, self);
		};
	}
	const result = arr[method](wrappedFn, ...args);
	return wrapInitialAccumulator ? toWrapped(self, result) : result;
}
function searchProxy(self, method, args) {
	const arr = /* @__PURE__ */ toRaw(self);
	track(arr, "iterate", ARRAY_ITERATE_KEY);
	const res = arr[method](...args);
	if ((res === -1 || res === false) && /* @__PURE__ */ isProxy(args[0])) {
		args[0] = /* @__PURE__ */ toRaw(args[0]);
		return arr[method](...args);
	}
	return res;
}
function noTracking(self, method, args = []) {
	pauseTracking();
	startBatch();
	const res = (/* @__PURE__ */ toRaw(self))[method].apply(self, args);
	endBatch();
	resetTracking();
	return res;
}
var isNonTrackableKeys = /* @__PURE__ */ makeMap(`__proto__,__v_isRef,__isVue`);
var builtInSymbols = /* @__PURE__ */ new Set(/* @__PURE__ */ Object.getOwnPropertyNames(Symbol).filter((key) => key !== "arguments" && key !== "caller").map((key) => Symbol[key]).filter(isSymbol));
function hasOwnProperty(key) {
	if (!isSymbol(key)) key = String(key);
	const obj = /* @__PURE__ */ toRaw(this);
	track(obj, "has", key);
	return obj.hasOwnProperty(key);
}
var BaseReactiveHandler = class {
	constructor(_isReadonly = false, _isShallow = false) {
		this._isReadonly = _isReadonly;
		this._isShallow = _isShallow;
	}
	get(target, key, receiver) {
		if (key === "__v_skip") return target["__v_skip"];
		const isReadonly2 = this._isReadonly, isShallow2 = this._isShallow;
		if (key === "__v_isReactive") return !isReadonly2;
		else if (key === "__v_isReadonly") return isReadonly2;
		else if (key === "__v_isShallow") return isShallow2;
		else if (key === "__v_raw") {
			if (receiver === (isReadonly2 ? isShallow2 ? shallowReadonlyMap : readonlyMap : isShallow2 ? shallowReactiveMap : reactiveMap).get(target) || Object.getPrototypeOf(target) === Object.getPrototypeOf(receiver)) return target;
			return;
		}
		const targetIsArray = isArray(target);
		if (!isReadonly2) {
			let fn;
			if (targetIsArray && (fn = arrayInstrumentations[key])) return fn;
			if (key === "hasOwnProperty") return hasOwnProperty;
		}
		const res = Reflect.get(target, key, /* @__PURE__ */ isRef(target) ? target : receiver);
		if (isSymbol(key) ? builtInSymbols.has(key) : isNonTrackableKeys(key)) return res;
		if (!isReadonly2) track(target, "get", key);
		if (isShallow2) return res;
		if (/* @__PURE__ */ isRef(res)) {
			const value = targetIsArray && isIntegerKey(key) ? res : res.value;
			return isReadonly2 && isObject$1(value) ? /* @__PURE__ */ readonly(value) : value;
		}
		if (isObject$1(res)) return isReadonly2 ? /* @__PURE__ */ readonly(res) : /* @__PURE__ */ reactive(res);
		return res;
	}
};
var MutableReactiveHandler = class extends BaseReactiveHandler {
	constructor(isShallow2 = false) {
		super(false, isShallow2);
	}
	set(target, key, value, receiver) {
		let oldValue = target[key];
		const isArrayWithIntegerKey = isArray(target) && isIntegerKey(key);
		if (!this._isShallow) {
			const isOldValueReadonly = /* @__PURE__ */ isReadonly(oldValue);
			if (!/* @__PURE__ */ isShallow(value) && !/* @__PURE__ */ isReadonly(value)) {
				oldValue = /* @__PURE__ */ toRaw(oldValue);
				value = /* @__PURE__ */ toRaw(value);
			}
			if (!isArrayWithIntegerKey && /* @__PURE__ */ isRef(oldValue) && !/* @__PURE__ */ isRef(value)) {
				if (isOldValueReadonly) return true;
				else {
					oldValue.value = value;
					return true;
				}
			}
		}
		const hadKey = isArrayWithIntegerKey ? Number(key) < target.length : hasOwn(target, key);
		const result = Reflect.set(target, key, value, /* @__PURE__ */ isRef(target) ? target : receiver);
		if (target === /* @__PURE__ */ toRaw(receiver) && result) {
			if (!hadKey) trigger(target, "add", key, value);
			else if (hasChanged(value, oldValue)) trigger(target, "set", key, value, oldValue);
		}
		return result;
	}
	deleteProperty(target, key) {
		const hadKey = hasOwn(target, key);
		const oldValue = target[key];
		const result = Reflect.deleteProperty(target, key);
		if (result && hadKey) trigger(target, "delete", key, void 0, oldValue);
		return result;
	}
	has(target, key) {
		const result = Reflect.has(target, key);
		if (!isSymbol(key) || !builtInSymbols.has(key)) track(target, "has", key);
		return result;
	}
	ownKeys(target) {
		track(target, "iterate", isArray(target) ? "length" : ITERATE_KEY);
		return Reflect.ownKeys(target);
	}
};
var ReadonlyReactiveHandler = class extends BaseReactiveHandler {
	constructor(isShallow2 = false) {
		super(true, isShallow2);
	}
	set(target, key) {
		return true;
	}
	deleteProperty(target, key) {
		return true;
	}
};
var mutableHandlers = /* @__PURE__ */ new MutableReactiveHandler();
var readonlyHandlers = /* @__PURE__ */ new ReadonlyReactiveHandler();
var shallowReactiveHandlers = /* @__PURE__ */ new MutableReactiveHandler(true);
var toShallow = (value) => value;
var getProto = (v) => Reflect.getPrototypeOf(v);
function createIterableMethod(method, isReadonly2, isShallow2) {
	return function(...args) {
		const target = this["__v_raw"];
		const rawTarget = /* @__PURE__ */ toRaw(target);
		const targetIsMap = isMap(rawTarget);
		const isPair = method === "entries" || method === Symbol.iterator && targetIsMap;
		const isKeyOnly = method === "keys" && targetIsMap;
		const innerIterator = target[method](...args);
		const wrap = isShallow2 ? toShallow : isReadonly2 ? toReadonly : toReactive;
		!isReadonly2 && track(rawTarget, "iterate", isKeyOnly ? MAP_KEY_ITERATE_KEY : ITERATE_KEY);
		return extend$1(Object.create(innerIterator), { next() {
			const { value, done } = innerIterator.next();
			return done ? {
				value,
				done
			} : {
				value: isPair ? [wrap(value[0]), wrap(value[1])] : wrap(value),
				done
			};
		} });
	};
}
function createReadonlyMethod(type) {
	return function(...args) {
		return type === "delete" ? false : type === "clear" ? void 0 : this;
	};
}
function createInstrumentations(readonly, shallow) {
	const instrumentations = {
		get(key) {
			const target = this["__v_raw"];
			const rawTarget = /* @__PURE__ */ toRaw(target);
			const rawKey = /* @__PURE__ */ toRaw(key);
			if (!readonly) {
				if (hasChanged(key, rawKey)) track(rawTarget, "get", key);
				track(rawTarget, "get", rawKey);
			}
			const { has } = getProto(rawTarget);
			const wrap = shallow ? toShallow : readonly ? toReadonly : toReactive;
			if (has.call(rawTarget, key)) return wrap(target.get(key));
			else if (has.call(rawTarget, rawKey)) return wrap(target.get(rawKey));
			else if (target !== rawTarget) target.get(key);
		},
		get size() {
			const target = this["__v_raw"];
			!readonly && track(/* @__PURE__ */ toRaw(target), "iterate", ITERATE_KEY);
			return target.size;
		},
		has(key) {
			const target = this["__v_raw"];
			const rawTarget = /* @__PURE__ */ toRaw(target);
			const rawKey = /* @__PURE__ */ toRaw(key);
			if (!readonly) {
				if (hasChanged(key, rawKey)) track(rawTarget, "has", key);
				track(rawTarget, "has", rawKey);
			}
			return key === rawKey ? target.has(key) : target.has(key) || target.has(rawKey);
		},
		forEach(callback, thisArg) {
			const observed = this;
			const target = observed["__v_raw"];
			const rawTarget = /* @__PURE__ */ toRaw(target);
			const wrap = shallow ? toShallow : readonly ? toReadonly : toReactive;
			!readonly && track(rawTarget, "iterate", ITERATE_KEY);
			return target.forEach((value, key) => {
				return callback.call(thisArg, wrap(value), wrap(key), observed);
			});
		}
	};
	extend$1(instrumentations, readonly ? {
		add: createReadonlyMethod("add"),
		set: createReadonlyMethod("set"),
		delete: createReadonlyMethod("delete"),
		clear: createReadonlyMethod("clear")
	} : {
		add(value) {
			const target = /* @__PURE__ */ toRaw(this);
			const proto = getProto(target);
			const rawValue = /* @__PURE__ */ toRaw(value);
			const valueToAdd = !shallow && !/* @__PURE__ */ isShallow(value) && !/* @__PURE__ */ isReadonly(value) ? rawValue : value;
			if (!(proto.has.call(target, valueToAdd) || hasChanged(value, valueToAdd) && proto.has.call(target, value) || hasChanged(rawValue, valueToAdd) && proto.has.call(target, rawValue))) {
				target.add(valueToAdd);
				trigger(target, "add", valueToAdd, valueToAdd);
			}
			return this;
		},
		set(key, value) {
			if (!shallow && !/* @__PURE__ */ isShallow(value) && !/* @__PURE__ */ isReadonly(value)) value = /* @__PURE__ */ toRaw(value);
			const target = /* @__PURE__ */ toRaw(this);
			const { has, get } = getProto(target);
			let hadKey = has.call(target, key);
			if (!hadKey) {
				key = /* @__PURE__ */ toRaw(key);
				hadKey = has.call(target, key);
			}
			const oldValue = get.call(target, key);
			target.set(key, value);
			if (!hadKey) trigger(target, "add", key, value);
			else if (hasChanged(value, oldValue)) trigger(target, "set", key, value, oldValue);
			return this;
		},
		delete(key) {
			const target = /* @__PURE__ */ toRaw(this);
			const { has, get } = getProto(target);
			let hadKey = has.call(target, key);
			if (!hadKey) {
				key = /* @__PURE__ */ toRaw(key);
				hadKey = has.call(target, key);
			}
			const oldValue = get ? get.call(target, key) : void 0;
			const result = target.delete(key);
			if (hadKey) trigger(target, "delete", key, void 0, oldValue);
			return result;
		},
		clear() {
			const target = /* @__PURE__ */ toRaw(this);
			const hadItems = target.size !== 0;
			const oldTarget = void 0;
			const result = target.clear();
			if (hadItems) trigger(target, "clear", void 0, void 0, oldTarget);
			return result;
		}
	});
	[
		"keys",
		"values",
		"entries",
		Symbol.iterator
	].forEach((method) => {
		instrumentations[method] = createIterableMethod(method, readonly, shallow);
	});
	return instrumentations;
}
function createInstrumentationGetter(isReadonly2, shallow) {
	const instrumentations = createInstrumentations(isReadonly2, shallow);
	return (target, key, receiver) => {
		if (key === "__v_isReactive") return !isReadonly2;
		else if (key === "__v_isReadonly") return isReadonly2;
		else if (key === "__v_isShallow") return shallow;
		else if (key === "__v_raw") return target;
		return Reflect.get(hasOwn(instrumentations, key) && key in target ? instrumentations : target, key, receiver);
	};
}
var mutableCollectionHandlers = { get: /* @__PURE__ */ createInstrumentationGetter(false, false) };
var shallowCollectionHandlers = { get: /* @__PURE__ */ createInstrumentationGetter(false, true) };
var readonlyCollectionHandlers = { get: /* @__PURE__ */ createInstrumentationGetter(true, false) };
var reactiveMap = /* @__PURE__ */ new WeakMap();
var shallowReactiveMap = /* @__PURE__ */ new WeakMap();
var readonlyMap = /* @__PURE__ */ new WeakMap();
var shallowReadonlyMap = /* @__PURE__ */ new WeakMap();
function targetTypeMap(rawType) {
	switch (rawType) {
		case "Object":
		case "Array": return 1;
		case "Map":
		case "Set":
		case "WeakMap":
		case "WeakSet": return 2;
		default: return 0;
	}
}
// @__NO_SIDE_EFFECTS__
function reactive(target) {
	if (/* @__PURE__ */ isReadonly(target)) return target;
	return createReactiveObject(target, false, mutableHandlers, mutableCollectionHandlers, reactiveMap);
}
// @__NO_SIDE_EFFECTS__
function shallowReactive(target) {
	return createReactiveObject(target, false, shallowReactiveHandlers, shallowCollectionHandlers, shallowReactiveMap);
}
// @__NO_SIDE_EFFECTS__
function readonly(target) {
	return createReactiveObject(target, true, readonlyHandlers, readonlyCollectionHandlers, readonlyMap);
}
function createReactiveObject(target, isReadonly2, baseHandlers, collectionHandlers, proxyMap) {
	if (!isObject$1(target)) return target;
	if (target["__v_raw"] && !(isReadonly2 && target["__v_isReactive"])) return target;
	if (target["__v_skip"] || !Object.isExtensible(target)) return target;
	const existingProxy = proxyMap.get(target);
	if (existingProxy) return existingProxy;
	const targetType = targetTypeMap(toRawType(target));
	if (targetType === 0) return target;
	const proxy = new Proxy(target, targetType === 2 ? collectionHandlers : baseHandlers);
	proxyMap.set(target, proxy);
	return proxy;
}
// @__NO_SIDE_EFFECTS__
function isReactive(value) {
	if (/* @__PURE__ */ isReadonly(value)) return /* @__PURE__ */ isReactive(value["__v_raw"]);
	return !!(value && value["__v_isReactive"]);
}
// @__NO_SIDE_EFFECTS__
function isReadonly(value) {
	return !!(value && value["__v_isReadonly"]);
}
// @__NO_SIDE_EFFECTS__
function isShallow(value) {
	return !!(value && value["__v_isShallow"]);
}
// @__NO_SIDE_EFFECTS__
function isProxy(value) {
	return value ? !!value["__v_raw"] : false;
}
// @__NO_SIDE_EFFECTS__
function toRaw(observed) {
	const raw = observed && observed["__v_raw"];
	return raw ? /* @__PURE__ */ toRaw(raw) : observed;
}
function markRaw(value) {
	if (!hasOwn(value, "__v_skip") && Object.isExtensible(value)) def(value, "__v_skip", true);
	return value;
}
var toReactive = (value) => isObject$1(value) ? /* @__PURE__ */ reactive(value) : value;
var toReadonly = (value) => isObject$1(value) ? /* @__PURE__ */ readonly(value) : value;
// @__NO_SIDE_EFFECTS__
function isRef(r) {
	return r ? r["__v_isRef"] === true : false;
}
// @__NO_SIDE_EFFECTS__
function ref(value) {
	return createRef(value, false);
}
// @__NO_SIDE_EFFECTS__
function shallowRef(value) {
	return createRef(value, true);
}
function createRef(rawValue, shallow) {
	if (/* @__PURE__ */ isRef(rawValue)) return rawValue;
	return new RefImpl(rawValue, shallow);
}
var RefImpl = class {
	constructor(value, isShallow2) {
		this.dep = new Dep();
		this["__v_isRef"] = true;
		this["__v_isShallow"] = false;
		this._rawValue = isShallow2 ? value : /* @__PURE__ */ toRaw(value);
		this._value = isShallow2 ? value : toReactive(value);
		this["__v_isShallow"] = isShallow2;
	}
	get value() {
		this.dep.track();
		return this._value;
	}
	set value(newValue) {
		const oldValue = this._rawValue;
		const useDirectValue = this["__v_isShallow"] || /* @__PURE__ */ isShallow(newValue) || /* @__PURE__ */ isReadonly(newValue);
		newValue = useDirectValue ? newValue : /* @__PURE__ */ toRaw(newValue);
		if (hasChanged(newValue, oldValue)) {
			this._rawValue = newValue;
			this._value = useDirectValue ? newValue : toReactive(newValue);
			this.dep.trigger();
		}
	}
};
function unref(ref2) {
	return /* @__PURE__ */ isRef(ref2) ? ref2.value : ref2;
}
var shallowUnwrapHandlers = {
	get: (target, key, receiver) => key === "__v_raw" ? target : unref(Reflect.get(target, key, receiver)),
	set: (target, key, value, receiver) => {
		const oldValue = target[key];
		if (/* @__PURE__ */ isRef(oldValue) && !/* @__PURE__ */ isRef(value)) {
			oldValue.value = value;
			return true;
		} else return Reflect.set(target, key, value, receiver);
	}
};
function proxyRefs(objectWithRefs) {
	return /* @__PURE__ */ isReactive(objectWithRefs) ? objectWithRefs : new Proxy(objectWithRefs, shallowUnwrapHandlers);
}
var CustomRefImpl = class {
	constructor(factory) {
		this["__v_isRef"] = true;
		this._value = void 0;
		const dep = this.dep = new Dep();
		const { get, set } = factory(dep.track.bind(dep), dep.trigger.bind(dep));
		this._get = get;
		this._set = set;
	}
	get value() {
		return this._value = this._get();
	}
	set value(newVal) {
		this._set(newVal);
	}
};
function customRef(factory) {
	return new CustomRefImpl(factory);
}
var ComputedRefImpl = class {
	constructor(fn, setter, isSSR) {
		this.fn = fn;
		this.setter = setter;
		/**
		* @internal
		*/
		this._value = void 0;
		/**
		* @internal
		*/
		this.dep = new Dep(this);
		/**
		* @internal
		*/
		this.__v_isRef = true;
		/**
		* @internal
		*/
		this.deps = void 0;
		/**
		* @internal
		*/
		this.depsTail = void 0;
		/**
		* @internal
		*/
		this.flags = 16;
		/**
		* @internal
		*/
		this.globalVersion = globalVersion - 1;
		/**
		* @internal
		*/
		this.next = void 0;
		this.effect = this;
		this["__v_isReadonly"] = !setter;
		this.isSSR = isSSR;
	}
	/**
	* @internal
	*/
	notify() {
		this.flags |= 16;
		if (!(this.flags & 8) && activeSub !== this) {
			batch(this, true);
			return true;
		}
	}
	get value() {
		const link = this.dep.track();
		refreshComputed(this);
		if (link) link.version = this.dep.version;
		return this._value;
	}
	set value(newValue) {
		if (this.setter) this.setter(newValue);
	}
};
// @__NO_SIDE_EFFECTS__
function computed$1(getterOrOptions, debugOptions, isSSR = false) {
	let getter;
	let setter;
	if (isFunction(getterOrOptions)) getter = getterOrOptions;
	else {
		getter = getterOrOptions.get;
		setter = getterOrOptions.set;
	}
	return new ComputedRefImpl(getter, setter, isSSR);
}
var INITIAL_WATCHER_VALUE = {};
var cleanupMap = /* @__PURE__ */ new WeakMap();
var activeWatcher = void 0;
function onWatcherCleanup(cleanupFn, failSilently = false, owner = activeWatcher) {
	if (owner) {
		let cleanups = cleanupMap.get(owner);
		if (!cleanups) cleanupMap.set(owner, cleanups = []);
		cleanups.push(cleanupFn);
	}
}
function watch$1(source, cb, options = EMPTY_OBJ) {
	const { immediate, deep, once, scheduler, augmentJob, call } = options;
	const reactiveGetter = (source2) => {
		if (deep) return source2;
		if (/* @__PURE__ */ isShallow(source2) || deep === false || deep === 0) return traverse(source2, 1);
		return traverse(source2);
	};
	let effect;
	let getter;
	let cleanup;
	let boundCleanup;
	let forceTrigger = false;
	let isMultiSource = false;
	if (/* @__PURE__ */ isRef(source)) {
		getter = () => source.value;
		forceTrigger = /* @__PURE__ */ isShallow(source);
	} else if (/* @__PURE__ */ isReactive(source)) {
		getter = () => reactiveGetter(source);
		forceTrigger = true;
	} else if (isArray(source)) {
		isMultiSource = true;
		forceTrigger = source.some((s) => /* @__PURE__ */ isReactive(s) || /* @__PURE__ */ isShallow(s));
		getter = () => source.map((s) => {
			if (/* @__PURE__ */ isRef(s)) return s.value;
			else if (/* @__PURE__ */ isReactive(s)) return reactiveGetter(s);
			else if (isFunction(s)) return call ? call(s, 2) : s();
		});
	} else if (isFunction(source)) {
		if (cb) getter = call ? () => call(source, 2) : source;
		else getter = () => {
			if (cleanup) {
				pauseTracking();
				try {
					cleanup();
				} finally {
					resetTracking();
				}
			}
			const currentEffect = activeWatcher;
			activeWatcher = effect;
			try {
				return call ? call(source, 3, [boundCleanup]) : source(boundCleanup);
			} finally {
				activeWatcher = currentEffect;
			}
		};
	} else getter = NOOP;
	if (cb && deep) {
		const baseGetter = getter;
		const depth = deep === true ? Infinity : deep;
		getter = () => traverse(baseGetter(), depth);
	}
	const scope = getCurrentScope();
	const watchHandle = () => {
		effect.stop();
		if (scope && scope.active) remove(scope.effects, effect);
	};
	if (once && cb) {
		const _cb = cb;
		cb = (...args) => {
			try {
				return _cb(...args);
			} finally {
				watchHandle();
			}
		};
	}
	let oldValue = isMultiSource ? new Array(source.length).fill(INITIAL_WATCHER_VALUE) : INITIAL_WATCHER_VALUE;
	const job = (immediateFirstRun) => {
		if (!(effect.flags & 1) || !effect.dirty && !immediateFirstRun) return;
		if (cb) {
			const newValue = effect.run();
			if (immediateFirstRun || deep || forceTrigger || (isMultiSource ? newValue.some((v, i) => hasChanged(v, oldValue[i])) : hasChanged(newValue, oldValue))) {
				const currentWatcher = activeWatcher;
				pauseTracking();
				try {
					if (cleanup) cleanup();
					activeWatcher = effect;
					const args = [
						newValue,
						oldValue === INITIAL_WATCHER_VALUE ? void 0 : isMultiSource && oldValue[0] === INITIAL_WATCHER_VALUE ? [] : oldValue,
						boundCleanup
					];
					oldValue = newValue;
					call ? call(cb, 3, args) : cb(...args);
				} finally {
					activeWatcher = currentWatcher;
					resetTracking();
				}
			}
		} else effect.run();
	};
	if (augmentJob) augmentJob(job);
	effect = new ReactiveEffect(getter);
	effect.scheduler = scheduler ? () => scheduler(job, false) : job;
	boundCleanup = (fn) => onWatcherCleanup(fn, false, effect);
	cleanup = effect.onStop = () => {
		const cleanups = cleanupMap.get(effect);
		if (cleanups) {
			if (call) call(cleanups, 4);
			else for (const cleanup2 of cleanups) cleanup2();
			cleanupMap.delete(effect);
		}
	};
	if (cb) {
		if (immediate) job(true);
		else oldValue = effect.run();
	} else if (scheduler) scheduler(job.bind(null, true), true);
	else effect.run();
	watchHandle.pause = effect.pause.bind(effect);
	watchHandle.resume = effect.resume.bind(effect);
	watchHandle.stop = watchHandle;
	return watchHandle;
}
function traverse(value, depth = Infinity, seen) {
	if (depth <= 0 || !isObject$1(value) || value["__v_skip"]) return value;
	seen = seen || /* @__PURE__ */ new Map();
	if ((seen.get(value) || 0) >= depth) return value;
	seen.set(value, depth);
	depth--;
	if (/* @__PURE__ */ isRef(value)) traverse(value.value, depth, seen);
	else if (isArray(value)) for (let i = 0; i < value.length; i++) traverse(value[i], depth, seen);
	else if (isSet(value) || isMap(value)) value.forEach((v) => {
		traverse(v, depth, seen);
	});
	else if (isPlainObject(value)) {
		for (const key in value) traverse(value[key], depth, seen);
		for (const key of Object.getOwnPropertySymbols(value)) if (Object.prototype.propertyIsEnumerable.call(value, key)) traverse(value[key], depth, seen);
	}
	return value;
}
// node_modules/@vue/runtime-core/dist/runtime-core.esm-bundler.js
/**
* @vue/runtime-core v3.5.45
* (c) 2018-present Yuxi (Evan) You and Vue contributors
* @license MIT
**/
function callWithErrorHandling(fn, instance, type, args) {
	try {
		return args ? fn(...args) : fn();
	} catch (err) {
		handleError(err, instance, type);
	}
}
function callWithAsyncErrorHandling(fn, instance, type, args) {
	if (isFunction(fn)) {
		const res = callWithErrorHandling(fn, instance, type, args);
		if (res && isPromise(res)) res.catch((err) => {
			handleError(err, instance, type, void 0, true);
		});
		return res;
	}
	if (isArray(fn)) {
		const values = [];
		for (let i = 0; i < fn.length; i++) values.push(callWithAsyncErrorHandling(fn[i], instance, type, args));
		return values;
	}
}
function handleError(err, instance, type, throwInDev = true, isAsyncError = false) {
	const contextVNode = instance ? instance.vnode : null;
	const { errorHandler, throwUnhandledErrorInProduction } = instance && instance.appContext.config || EMPTY_OBJ;
	if (instance) {
		let cur = instance.parent;
		const exposedInstance = instance.proxy;
		const errorInfo = `https://vuejs.org/error-reference/#runtime-${type}`;
		while (cur) {
			const errorCapturedHooks = cur.ec;
			if (errorCapturedHooks && !cur.isUnmounted && (!isAsyncError || cur.scope.active)) {
				for (let i = 0; i < errorCapturedHooks.length; i++) if (errorCapturedHooks[i](err, exposedInstance, errorInfo) === false) return;
			}
			cur = cur.parent;
		}
		if (errorHandler) {
			pauseTracking();
			callWithErrorHandling(errorHandler, null, 10, [
				err,
				exposedInstance,
				errorInfo
			]);
			resetTracking();
			return;
		}
	}
	logError(err, type, contextVNode, throwInDev, throwUnhandledErrorInProduction);
}
function logError(err, type, contextVNode, throwInDev = true, throwInProd = false) {
	if (throwInProd) throw err;
	else console.error(err);
}
var queue = [];
var flushIndex = -1;
var pendingPostFlushCbs = [];
var activePostFlushCbs = null;
var postFlushIndex = 0;
var resolvedPromise = /* @__PURE__ */ Promise.resolve();
var currentFlushPromise = null;
function nextTick(fn) {
	const p = currentFlushPromise || resolvedPromise;
	return fn ? p.then(this ? fn.bind(this) : fn) : p;
}
function findInsertionIndex(id) {
	let start = flushIndex + 1;
	let end = queue.length;
	while (start < end) {
		const middle = start + end >>> 1;
		const middleJob = queue[middle];
		const middleJobId = getId(middleJob);
		if (middleJobId < id || middleJobId === id && middleJob.flags & 2) start = middle + 1;
		else end = middle;
	}
	return start;
}
function queueJob(job) {
	if (!(job.flags & 1)) {
		const jobId = getId(job);
		const lastJob = queue[queue.length - 1];
		if (!lastJob || !(job.flags & 2) && jobId >= getId(lastJob)) queue.push(job);
		else queue.splice(findInsertionIndex(jobId), 0, job);
		job.flags |= 1;
		queueFlush();
	}
}
function queueFlush() {
	if (!currentFlushPromise) currentFlushPromise = resolvedPromise.then(flushJobs);
}
function queuePostFlushCb(cb) {
	if (!isArray(cb)) {
		if (activePostFlushCbs && cb.id === -1) activePostFlushCbs.splice(postFlushIndex + 1, 0, cb);
		else if (!(cb.flags & 1)) {
			pendingPostFlushCbs.push(cb);
			cb.flags |= 1;
		}
	} else for (let i = 0; i < cb.length; i++) pendingPostFlushCbs.push(cb[i]);
	queueFlush();
}
function flushPreFlushCbs(instance, minUid, seen, i = flushIndex + 1) {
	for (; i < queue.length; i++) {
		const cb = queue[i];
		if (cb && cb.flags & 2) {
			if (instance && cb.id !== instance.uid || minUid !== void 0 && !(cb.id >= minUid)) continue;
			queue.splice(i, 1);
			i = instance ? i - 1 : flushIndex;
			if (cb.flags & 4) cb.flags &= -2;
			cb();
			if (!(cb.flags & 4)) cb.flags &= -2;
		}
	}
}
function flushPostFlushCbs(seen, skip, minUid = 0) {
	if (pendingPostFlushCbs.length) {
		let cbs = pendingPostFlushCbs;
		let kept = 0;
		if (skip) {
			cbs = [];
			for (let i = 0; i < pendingPostFlushCbs.length; i++) {
				const cb = pendingPostFlushCbs[i];
				if (cb.i !== void 0 ? !cb.i || cb.i.uid < minUid : skip.has(cb)) pendingPostFlushCbs[kept++] = cb;
				else cbs.push(cb);
			}
		}
		const deduped = [...new Set(cbs)].sort((a, b) => getId(a) - getId(b));
		pendingPostFlushCbs.length = kept;
		if (activePostFlushCbs) {
			for (let i = 0; i < deduped.length; i++) activePostFlushCbs.push(deduped[i]);
			return;
		}
		activePostFlushCbs = deduped;
		for (postFlushIndex = 0; postFlushIndex < activePostFlushCbs.length; postFlushIndex++) {
			const cb = activePostFlushCbs[postFlushIndex];
			if (cb.flags & 4) cb.flags &= -2;
			if (!(cb.flags & 8)) cb();
			cb.flags &= -2;
		}
		activePostFlushCbs = null;
		postFlushIndex = 0;
	}
}
var isFlushing = false;
function flushOnAppMount(fn, minUid) {
	if (isFlushing) {
		fn();
		return;
	}
	const queued = minUid === void 0 ? void 0 : new Set(pendingPostFlushCbs);
	fn();
	isFlushing = true;
	try {
		flushPreFlushCbs(void 0, minUid);
		flushPostFlushCbs(void 0, queued, minUid);
	} finally {
		isFlushing = false;
	}
}
var getId = (job) => job.id == null ? job.flags & 2 ? -1 : Infinity : job.id;
function flushJobs(seen) {
	try {
		for (flushIndex = 0; flushIndex < queue.length; flushIndex++) {
			const job = queue[flushIndex];
			if (job && !(job.flags & 8)) {
				if (job.flags & 4) job.flags &= -2;
				callWithErrorHandling(job, job.i, job.i ? 15 : 14);
				if (!(job.flags & 4)) job.flags &= -2;
			}
		}
	} finally {
		for (; flushIndex < queue.length; flushIndex++) {
			const job = queue[flushIndex];
			if (job) job.flags &= -2;
		}
		flushIndex = -1;
		queue.length = 0;
		flushPostFlushCbs(seen);
		currentFlushPromise = null;
		if (queue.length || pendingPostFlushCbs.length) flushJobs(seen);
	}
}
var currentRenderingInstance = null;
var currentScopeId = null;
function setCurrentRenderingInstance(instance) {
	const prev = currentRenderingInstance;
	currentRenderingInstance = instance;
	currentScopeId = instance && instance.type.__scopeId || null;
	return prev;
}
function withCtx(fn, ctx = currentRenderingInstance, isNonScopedSlot) {
	if (!ctx) return fn;
	if (fn._n) return fn;
	const renderFnWithContext = (...args) => {
		if (renderFnWithContext._d) setBlockTracking(-1);
		const prevInstance = setCurrentRenderingInstance(ctx);
		const prevStackSize = blockStack.length;
		let res;
		try {
			res = fn(...args);
		} finally {
			for (let i = blockStack.length; i > prevStackSize; i--) closeBlock();
			setCurrentRenderingInstance(prevInstance);
			if (renderFnWithContext._d) setBlockTracking(1);
		}
		return res;
	};
	renderFnWithContext._n = true;
	renderFnWithContext._c = true;
	renderFnWithContext._d = true;
	return renderFnWithContext;
}
function withDirectives(vnode, directives) {
	if (currentRenderingInstance === null) return vnode;
	const instance = getComponentPublicInstance(currentRenderingInstance);
	const bindings = vnode.dirs || (vnode.dirs = []);
	for (let i = 0; i < directives.length; i++) {
		let [dir, value, arg, modifiers = EMPTY_OBJ] = directives[i];
		if (dir) {
			if (isFunction(dir)) dir = {
				mounted: dir,
				updated: dir
			};
			if (dir.deep) traverse(value);
			bindings.push({
				dir,
				instance,
				value,
				oldValue: void 0,
				arg,
				modifiers
			});
		}
	}
	return vnode;
}
function invokeDirectiveHook(vnode, prevVNode, instance, name) {
	let hookVNode = vnode;
	if (name === "beforeMount") vnode._mount = vnode;
	else if (name === "beforeUpdate") {
		const mount = prevVNode && prevVNode._mount;
		if (mount) {
			mount._latest = vnode;
			vnode._mount = mount;
		}
	} else if (name === "mounted") {
		const latest = vnode._latest;
		vnode._mount = vnode._latest = void 0;
		if (latest) {
			hookVNode = latest;
			latest._mount = void 0;
		}
	}
	const bindings = hookVNode.dirs;
	const oldBindings = prevVNode && prevVNode.dirs;
	for (let i = 0; i < bindings.length; i++) {
		let binding = bindings[i];
		if (oldBindings) binding.oldValue = oldBindings[i].value;
		else if (name === "mounted" && binding.oldValue !== void 0) binding = extend$1({}, binding, { oldValue: void 0 });
		let hook = binding.dir[name];
		if (hook) {
			pauseTracking();
			callWithAsyncErrorHandling(hook, instance, 8, [
				vnode.el,
				binding,
				hookVNode,
				prevVNode
			]);
			resetTracking();
		}
	}
}
function provide(key, value) {
	if (currentInstance) {
		let provides = currentInstance.provides;
		const parentProvides = currentInstance.parent && currentInstance.parent.provides;
		if (parentProvides === provides) provides = currentInstance.provides = Object.create(parentProvides);
		provides[key] = value;
	}
}
function inject(key, defaultValue, treatDefaultAsFactory = false) {
	const instance = getCurrentInstance();
	if (instance || currentApp) {
		let provides = currentApp ? currentApp._context.provides : instance ? instance.parent == null || instance.ce ? instance.vnode.appContext && instance.vnode.appContext.provides : instance.parent.provides : void 0;
		if (provides && key in provides) return provides[key];
		else if (arguments.length > 1) return treatDefaultAsFactory && isFunction(defaultValue) ? defaultValue.call(instance && instance.proxy) : defaultValue;
	}
}
var ssrContextKey = /* @__PURE__ */ Symbol.for("v-scx");
var useSSRContext = () => {
	{
		const ctx = inject(ssrContextKey);
		if (!ctx) {}
		return ctx;
	}
};
function watchSyncEffect(effect, options) {
	return doWatch(effect, null, { flush: "sync" });
}
function watch(source, cb, options) {
	return doWatch(source, cb, options);
}
function doWatch(source, cb, options = EMPTY_OBJ) {
	const { immediate, deep, flush, once } = options;
	const baseWatchOptions = extend$1({}, options);
	const runsImmediately = cb && immediate || !cb && flush !== "post";
	let ssrCleanup;
	if (isInSSRComponentSetup) {
		if (flush === "sync") {
			const ctx = useSSRContext();
			ssrCleanup = ctx.__watcherHandles || (ctx.__watcherHandles = []);
		} else if (!runsImmediately) {
			const watchStopHandle = () => {};
			watchStopHandle.stop = NOOP;
			watchStopHandle.resume = NOOP;
			watchStopHandle.pause = NOOP;
			return watchStopHandle;
		}
	}
	const instance = currentInstance;
	baseWatchOptions.call = (fn, type, args) => callWithAsyncErrorHandling(fn, instance, type, args);
	let isPre = false;
	if (flush === "post") baseWatchOptions.scheduler = (job) => {
		job.i = instance;
		queuePostRenderEffect(job, instance && instance.suspense);
	};
	else if (flush !== "sync") {
		isPre = true;
		baseWatchOptions.scheduler = (job, isFirstRun) => {
			if (isFirstRun) job();
			else queueJob(job);
		};
	}
	baseWatchOptions.augmentJob = (job) => {
		if (cb) job.flags |= 4;
		if (isPre) {
			job.flags |= 2;
			if (instance) {
				job.id = instance.uid;
				job.i = instance;
			}
		}
	};
	const watchHandle = watch$1(source, cb, baseWatchOptions);
	if (isInSSRComponentSetup) {
		if (ssrCleanup) ssrCleanup.push(watchHandle);
		else if (runsImmediately) watchHandle();
	}
	return watchHandle;
}
var TeleportEndKey = /* @__PURE__ */ Symbol("_vte");
var isTeleport = (type) => type.__isTeleport;
var leaveCbKey = /* @__PURE__ */ Symbol("_leaveCb");
function findNonCommentChild(children) {
	let child = children[0];
	if (children.length > 1) {
		for (const c of children) if (c.type !== Comment) {
			child = c;
			break;
		}
	}
	return child;
}
function getInnerChild$1(vnode) {
	if (!isKeepAlive(vnode)) {
		if (isTeleport(vnode.type) && vnode.children) return findNonCommentChild(vnode.children);
		return vnode;
	}
	if (vnode.component) return vnode.component.subTree;
	const { shapeFlag, children } = vnode;
	if (children) {
		if (shapeFlag & 16) return children[0];
		if (shapeFlag & 32 && isFunction(children.default)) return children.default();
	}
}
function setTransitionHooks(vnode, hooks) {
	if (vnode.shapeFlag & 6 && vnode.component) {
		vnode.transition = hooks;
		const subTree = vnode.component.subTree;
		setTransitionHooks(isTeleport(subTree.type) ? getInnerChild$1(subTree) || subTree : subTree, hooks);
	} else if (vnode.shapeFlag & 128) {
		const suspense = vnode.suspense;
		if (suspense) {
			const branch = suspense.isHydrating ? suspense.pendingBranch : suspense.activeBranch;
			if (branch) setTransitionHooks(branch, hooks.clone(branch));
		} else {
			vnode.ssContent.transition = hooks.clone(vnode.ssContent);
			vnode.ssFallback.transition = hooks.clone(vnode.ssFallback);
		}
	} else {
		vnode.transition = hooks;
		if (vnode.type === Fragment && isArray(vnode.children)) {
			const child = filterSingleRoot(vnode.children, false);
			if (child) setTransitionHooks(child, hooks);
		}
	}
}
function getTransitionRoot(vnode) {
	if (vnode.component) return getTransitionRoot(vnode.component.subTree);
	if (vnode.type === Fragment) {
		const child = isArray(vnode.children) && filterSingleRoot(vnode.children, false);
		return child ? getTransitionRoot(child) : void 0;
	}
	if (vnode.type !== Comment) return vnode;
}
// @__NO_SIDE_EFFECTS__
function defineComponent(options, extraOptions) {
	return isFunction(options) ? /* @__PURE__ */ (() => extend$1({ name: options.name }, extraOptions, { setup: options }))() : options;
}
function useId() {
	const i = getCurrentInstance();
	if (i) return (i.appContext.config.idPrefix || "v") + "-" + i.ids[0] + i.ids[1]++;
	return "";
}
function markAsyncBoundary(instance) {
	instance.ids = [
		instance.ids[0] + instance.ids[2]++ + "-",
		0,
		0
	];
}
function useTemplateRef(key) {
	const i = getCurrentInstance();
	const r = /* @__PURE__ */ shallowRef(null);
	if (i) {
		const refs = i.refs === EMPTY_OBJ ? i.refs = {} : i.refs;
		Object.defineProperty(refs, key, {
			enumerable: true,
			get: () => r.value,
			set: (val) => r.value = val
		});
	}
	return r;
}
function isTemplateRefKey(refs, key) {
	let desc;
	return !!((desc = Object.getOwnPropertyDescriptor(refs, key)) && !desc.configurable);
}
var pendingSetRefMap = /* @__PURE__ */ new WeakMap();
function setRef(rawRef, oldRawRef, parentSuspense, vnode, isUnmount = false) {
	if (isArray(rawRef)) {
		rawRef.forEach((r, i) => setRef(r, oldRawRef && (isArray(oldRawRef) ? oldRawRef[i] : oldRawRef), parentSuspense, vnode, isUnmount));
		return;
	}
	if (isAsyncWrapper(vnode) && !isUnmount) {
		if (vnode.shapeFlag & 512 && vnode.type.__asyncResolved && vnode.component.subTree.component) setRef(rawRef, oldRawRef, parentSuspense, vnode.component.subTree);
		return;
	}
	const refValue = vnode.shapeFlag & 4 ? getComponentPublicInstance(vnode.component) : vnode.el;
	const value = isUnmount ? null : refValue;
	const { i: owner, r: ref } = rawRef;
	const oldRef = oldRawRef && oldRawRef.r;
	const refs = owner.refs === EMPTY_OBJ ? owner.refs = {} : owner.refs;
	const setupState = owner.setupState;
	const rawSetupState = /* @__PURE__ */ toRaw(setupState);
	const canSetSetupRef = setupState === EMPTY_OBJ ? NO : (key) => {
		if (isTemplateRefKey(refs, key)) return false;
		return hasOwn(rawSetupState, key);
	};
	const canSetRef = (ref2, key) => {
		if (key && isTemplateRefKey(refs, key)) return false;
		return true;
	};
	if (oldRef != null && oldRef !== ref) {
		invalidatePendingSetRef(oldRawRef);
		if (isString(oldRef)) {
			refs[oldRef] = null;
			if (canSetSetupRef(oldRef)) setupState[oldRef] = null;
		} else if (/* @__PURE__ */ isRef(oldRef)) {
			const oldRawRefAtom = oldRawRef;
			if (canSetRef(oldRef, oldRawRefAtom.k)) oldRef.value = null;
			if (oldRawRefAtom.k) refs[oldRawRefAtom.k] = null;
		}
	}
	if (isFunction(ref)) callWithErrorHandling(ref, owner, 12, [value, refs]);
	else {
		const _isString = isString(ref);
		const _isRef = /* @__PURE__ */ isRef(ref);
		if (_isString || _isRef) {
			const doSet = () => {
				if (rawRef.f) {
					const existing = _isString ? canSetSetupRef(ref) ? setupState[ref] : refs[ref] : canSetRef(ref) || !rawRef.k ? ref.value : refs[rawRef.k];
					if (isUnmount) isArray(existing) && remove(existing, refValue);
					else if (!isArray(existing)) {
						if (_isString) {
							refs[ref] = [refValue];
							if (canSetSetupRef(ref)) setupState[ref] = refs[ref];
						} else {
							const newVal = [refValue];
							if (canSetRef(ref, rawRef.k)) ref.value = newVal;
							if (rawRef.k) refs[rawRef.k] = newVal;
						}
					} else if (!existing.includes(refValue)) existing.push(refValue);
				} else if (_isString) {
					refs[ref] = value;
					if (canSetSetupRef(ref)) setupState[ref] = value;
				} else if (_isRef) {
					if (canSetRef(ref, rawRef.k)) ref.value = value;
					if (rawRef.k) refs[rawRef.k] = value;
				}
			};
			if (value) {
				const job = () => {
					doSet();
					pendingSetRefMap.delete(rawRef);
				};
				job.id = -1;
				pendingSetRefMap.set(rawRef, job);
				queuePostRenderEffect(job, parentSuspense);
			} else {
				invalidatePendingSetRef(rawRef);
				doSet();
			}
		}
	}
}
function invalidatePendingSetRef(rawRef) {
	const pendingSetRef = pendingSetRefMap.get(rawRef);
	if (pendingSetRef) {
		pendingSetRef.flags |= 8;
		pendingSetRefMap.delete(rawRef);
	}
}
getGlobalThis().requestIdleCallback;
getGlobalThis().cancelIdleCallback;
var isAsyncWrapper = (i) => !!i.type.__asyncLoader;
var isKeepAlive = (vnode) => vnode.type.__isKeepAlive;
var KeepAlive = {
	name: `KeepAlive`,
	__isKeepAlive: true,
	props: {
		include: [
			String,
			RegExp,
			Array
		],
		exclude: [
			String,
			RegExp,
			Array
		],
		max: [String, Number]
	},
	setup(props, { slots }) {
		const instance = getCurrentInstance();
		const sharedContext = instance.ctx;
		if (!sharedContext.renderer) return () => {
			const children = slots.default && slots.default();
			return children && children.length === 1 ? children[0] : children;
		};
		const cache = /* @__PURE__ */ new Map();
		const keys = /* @__PURE__ */ new Set();
		let current = null;
		const parentSuspense = instance.suspense;
		const { renderer: { p: patch, m: move, um: _unmount, o: { createElement } } } = sharedContext;
		const storageContainer = createElement("div");
		sharedContext.activate = (vnode, container, anchor, namespace, optimized) => {
			const instance2 = vnode.component;
			move(vnode, container, anchor, 0, parentSuspense);
			patch(instance2.vnode, vnode, container, anchor, instance2, parentSuspense, namespace, vnode.slotScopeIds, optimized);
			queuePostRenderEffect(() => {
				instance2.isDeactivated = false;
				if (instance2.a) invokeArrayFns(instance2.a);
				const vnodeHook = vnode.props && vnode.props.onVnodeMounted;
				if (vnodeHook) invokeVNodeHook(vnodeHook, instance2.parent, vnode);
			}, parentSuspense);
		};
		sharedContext.deactivate = (vnode) => {
			const cached = cache.get(vnode.key == null ? vnode.type : vnode.key);
			if (!cached || cached.component !== vnode.component) return false;
			const instance2 = vnode.component;
			invalidateMount(instance2.m);
			invalidateMount(instance2.a);
			move(vnode, storageContainer, null, 1, parentSuspense);
			queuePostRenderEffect(() => {
				if (instance2.da) invokeArrayFns(instance2.da);
				const vnodeHook = vnode.props && vnode.props.onVnodeUnmounted;
				if (vnodeHook) invokeVNodeHook(vnodeHook, instance2.parent, vnode);
				instance2.isDeactivated = true;
			}, parentSuspense);
			return true;
		};
		function unmount(vnode) {
			resetShapeFlag(vnode);
			_unmount(vnode, instance, parentSuspense, true);
		}
		function pruneCache(filter) {
			cache.forEach((vnode, key) => {
				const name = getComponentName(isAsyncWrapper(vnode) ? vnode.type.__asyncResolved || {} : vnode.type);
				if (name && !filter(name)) pruneCacheEntry(key);
			});
		}
		function pruneCacheEntry(key) {
			const cached = cache.get(key);
			if (cached && (!current || !isSameVNodeType(cached, current))) unmount(cached);
			else if (current) {
				resetShapeFlag(current);
				if (cached) resetShapeFlag(cached);
			}
			cache.delete(key);
			keys.delete(key);
		}
		watch(() => [props.include, props.exclude], ([include, exclude]) => {
			include && pruneCache((name) => matches(include, name));
			exclude && pruneCache((name) => !matches(exclude, name));
		}, {
			flush: "post",
			deep: true
		});
		let pendingCacheKey = null;
		const cacheSubtree = () => {
			if (pendingCacheKey != null) {
				if (isSuspense(instance.subTree.type)) {
					const cacheInnerChild = () => {
						const vnode = getInnerChild(instance.subTree);
						if (vnode.component) cache.set(pendingCacheKey, vnode);
					};
					if (instance.subTree.suspense.pendingBranch) queuePostRenderEffect(cacheInnerChild, instance.subTree.suspense);
					else cacheInnerChild();
				} else cache.set(pendingCacheKey, getInnerChild(instance.subTree));
			}
		};
		onMounted(cacheSubtree);
		onUpdated(cacheSubtree);
		onBeforeUnmount(() => {
			cache.forEach((cached) => {
				const { subTree, suspense } = instance;
				const vnode = getInnerChild(subTree);
				if (cached.type === vnode.type && cached.key === vnode.key) {
					resetShapeFlag(vnode);
					const da = vnode.component.da;
					da && queuePostRenderEffect(da, suspense);
					return;
				}
				unmount(cached);
			});
		});
		return () => {
			pendingCacheKey = null;
			if (!slots.default) return current = null;
			const children = slots.default();
			const rawVNode = children[0];
			if (children.length > 1) {
				current = null;
				return children;
			} else if (!isVNode(rawVNode) || !(rawVNode.shapeFlag & 4) && !(rawVNode.shapeFlag & 128)) {
				current = null;
				return rawVNode;
			}
			let vnode = getInnerChild(rawVNode);
			if (vnode.type === Comment) {
				current = null;
				return vnode;
			}
			const comp = vnode.type;
			const name = getComponentName(isAsyncWrapper(vnode) ? vnode.type.__asyncResolved || {} : comp);
			const { include, exclude, max } = props;
			if (include && (!name || !matches(include, name)) || exclude && name && matches(exclude, name)) {
				vnode.shapeFlag &= -257;
				current = vnode;
				return rawVNode;
			}
			const key = vnode.key == null ? comp : vnode.key;
			const cachedVNode = cache.get(key);
			if (vnode.el) {
				vnode = cloneVNode(vnode);
				if (rawVNode.shapeFlag & 128) rawVNode.ssContent = vnode;
			}
			pendingCacheKey = key;
			if (cachedVNode) {
				vnode.el = cachedVNode.el;
				vnode.component = cachedVNode.component;
				if (vnode.transition) setTransitionHooks(vnode, vnode.transition);
				vnode.shapeFlag |= 512;
				keys.delete(key);
				keys.add(key);
			} else {
				keys.add(key);
				if (max && keys.size > parseInt(max, 10)) pruneCacheEntry(keys.values().next().value);
			}
			vnode.shapeFlag |= 256;
			current = vnode;
			return isSuspense(rawVNode.type) ? rawVNode : vnode;
		};
	}
};
function matches(pattern, name) {
	if (isArray(pattern)) return pattern.some((p) => matches(p, name));
	else if (isString(pattern)) return pattern.split(",").includes(name);
	else if (isRegExp(pattern)) {
		pattern.lastIndex = 0;
		return pattern.test(name);
	}
	return false;
}
function onActivated(hook, target) {
	registerKeepAliveHook(hook, "a", target);
}
function onDeactivated(hook, target) {
	registerKeepAliveHook(hook, "da", target);
}
function registerKeepAliveHook(hook, type, target = currentInstance) {
	const wrappedHook = hook.__wdc || (hook.__wdc = () => {
		let current = target;
		while (current) {
			if (current.isDeactivated) return;
			current = current.parent;
		}
		return hook();
	});
	injectHook(type, wrappedHook, target);
	if (target) {
		let current = target.parent;
		while (current && current.parent) {
			if (isKeepAlive(current.parent.vnode)) injectToKeepAliveRoot(wrappedHook, type, target, current);
			current = current.parent;
		}
	}
}
function injectToKeepAliveRoot(hook, type, target, keepAliveRoot) {
	const injected = injectHook(type, hook, keepAliveRoot, true);
	const removal = injectHook("um", () => remove(keepAliveRoot[type], injected), target);
	removal.flags = 16;
}
function resetShapeFlag(vnode) {
	vnode.shapeFlag &= -257;
	vnode.shapeFlag &= -513;
}
function getInnerChild(vnode) {
	return vnode.shapeFlag & 128 ? vnode.ssContent : vnode;
}
function injectHook(type, hook, target = currentInstance, prepend = false) {
	if (target) {
		const hooks = target[type] || (target[type] = []);
		const wrappedHook = hook.__weh || (hook.__weh = (...args) => {
			pauseTracking();
			const reset = setCurrentInstance(target);
			const res = callWithAsyncErrorHandling(hook, target, type, args);
			reset();
			resetTracking();
			return res;
		});
		if (prepend) hooks.unshift(wrappedHook);
		else hooks.push(wrappedHook);
		return wrappedHook;
	}
}
var createHook = (lifecycle) => (hook, target = currentInstance) => {
	if (!isInSSRComponentSetup || lifecycle === "sp") injectHook(lifecycle, (...args) => hook(...args), target);
};
var onMounted = createHook("m");
var onUpdated = createHook("u");
var onBeforeUnmount = createHook("bum");
function onErrorCaptured(hook, target = currentInstance) {
	injectHook("ec", hook, target);
}
var NULL_DYNAMIC_COMPONENT = /* @__PURE__ */ Symbol.for("v-ndc");
function renderList(source, renderItem, cache, index) {
	let ret;
	const cached = cache && cache[index];
	const sourceIsArray = isArray(source);
	if (sourceIsArray || isString(source)) {
		const sourceIsReactiveArray = sourceIsArray && /* @__PURE__ */ isReactive(source);
		let needsWrap = false;
		let isReadonlySource = false;
		if (sourceIsReactiveArray) {
			needsWrap = !/* @__PURE__ */ isShallow(source);
			isReadonlySource = /* @__PURE__ */ isReadonly(source);
			source = shallowReadArray(source);
		}
		ret = new Array(source.length);
		for (let i = 0, l = source.length; i < l; i++) ret[i] = renderItem(needsWrap ? isReadonlySource ? toReadonly(toReactive(source[i])) : toReactive(source[i]) : source[i], i, void 0, cached && cached[i]);
	} else if (typeof source === "number") {
		if (!Number.isInteger(source) || source < 0) ret = [];
		else {
			ret = new Array(source);
			for (let i = 0; i < source; i++) ret[i] = renderItem(i + 1, i, void 0, cached && cached[i]);
		}
	} else if (isObject$1(source)) {
		if (source[Symbol.iterator]) ret = Array.from(source, (item, i) => renderItem(item, i, void 0, cached && cached[i]));
		else {
			const keys = Object.keys(source);
			ret = new Array(keys.length);
			for (let i = 0, l = keys.length; i < l; i++) {
				const key = keys[i];
				ret[i] = renderItem(source[key], key, i, cached && cached[i]);
			}
		}
	} else ret = [];
	if (cache) cache[index] = ret;
	return ret;
}
function renderSlot(slots, name, props, fallback, noSlotted, branchKey) {
	if (props == null) props = {};
	if (currentRenderingInstance.ce || currentRenderingInstance.parent && isAsyncWrapper(currentRenderingInstance.parent) && currentRenderingInstance.parent.ce) {
		const slotProps = branchKey != null && props.key == null ? extend$1({}, props, { key: branchKey }) : props;
		const hasProps = Object.keys(slotProps).length > 0;
		if (name !== "default") slotProps.name = name;
		return openBlock(), createBlock(Fragment, null, [createVNode("slot", slotProps, fallback && fallback())], hasProps ? -2 : 64);
	}
	let slot = slots[name];
	if (slot && slot._c) slot._d = false;
	const prevStackSize = blockStack.length;
	openBlock();
	let rendered;
	try {
		const validSlotContent = slot && ensureValidVNode(slot(props));
		const slotKey = props.key || branchKey || validSlotContent && validSlotContent.key;
		rendered = createBlock(Fragment, { key: (slotKey && !isSymbol(slotKey) ? slotKey : `_${name}`) + (!validSlotContent && fallback ? "_fb" : "") }, validSlotContent || (fallback ? fallback() : []), validSlotContent && slots._ === 1 ? 64 : -2);
	} catch (err) {
		for (let i = blockStack.length; i > prevStackSize; i--) closeBlock();
		throw err;
	} finally {
		if (slot && slot._c) slot._d = true;
	}
	if (!noSlotted && rendered.scopeId) rendered.slotScopeIds = [rendered.scopeId + "-s"];
	return rendered;
}
function ensureValidVNode(vnodes) {
	return vnodes.some((child) => {
		if (!isVNode(child)) return true;
		if (child.type === Comment) return false;
		if (child.type === Fragment && !ensureValidVNode(child.children)) return false;
		return true;
	}) ? vnodes : null;
}
var getPublicInstance = (i) => {
	if (!i) return null;
	if (isStatefulComponent(i)) return getComponentPublicInstance(i);
	return getPublicInstance(i.parent);
};
var publicPropertiesMap = /* @__PURE__ */ extend$1(/* @__PURE__ */ Object.create(null), {
	$: (i) => i,
	$el: (i) => i.vnode.el,
	$data: (i) => i.data,
	$props: (i) => i.props,
	$attrs: (i) => i.attrs,
	$slots: (i) => i.slots,
	$refs: (i) => i.refs,
	$parent: (i) => getPublicInstance(i.parent),
	$root: (i) => getPublicInstance(i.root),
	$host: (i) => i.ce,
	$emit: (i) => i.emit,
	$options: (i) => i.type,
	$forceUpdate: (i) => i.f || (i.f = () => {
		queueJob(i.update);
	}),
	$nextTick: (i) => i.n || (i.n = nextTick.bind(i.proxy)),
	$watch: (i) => NOOP
});
var hasSetupBinding = (state, key) => state !== EMPTY_OBJ && !state.__isScriptSetup && hasOwn(state, key);
var PublicInstanceProxyHandlers = {
	get({ _: instance }, key) {
		if (key === "__v_skip") return true;
		const { ctx, setupState, data, props, accessCache, type, appContext } = instance;
		if (key[0] !== "$") {
			const n = accessCache[key];
			if (n !== void 0) switch (n) {
				case 1: return setupState[key];
				case 2: return data[key];
				case 4: return ctx[key];
				case 3: return props[key];
			}
			else if (hasSetupBinding(setupState, key)) {
				accessCache[key] = 1;
				return setupState[key];
			} else if (hasOwn(props, key)) {
				accessCache[key] = 3;
				return props[key];
			} else if (ctx !== EMPTY_OBJ && hasOwn(ctx, key)) {
				accessCache[key] = 4;
				return ctx[key];
			} else accessCache[key] = 0;
		}
		const publicGetter = publicPropertiesMap[key];
		let cssModule, globalProperties;
		if (publicGetter) {
			if (key === "$attrs") track(instance.attrs, "get", "");
			return publicGetter(instance);
		} else if ((cssModule = type.__cssModules) && (cssModule = cssModule[key])) return cssModule;
		else if (ctx !== EMPTY_OBJ && hasOwn(ctx, key)) {
			accessCache[key] = 4;
			return ctx[key];
		} else if (globalProperties = appContext.config.globalProperties, hasOwn(globalProperties, key)) return globalProperties[key];
	},
	set({ _: instance }, key, value) {
		const { data, setupState, ctx } = instance;
		if (hasSetupBinding(setupState, key)) {
			setupState[key] = value;
			return true;
		} else if (hasOwn(instance.props, key)) return false;
		if (key[0] === "$" && key.slice(1) in instance) return false;
		else ctx[key] = value;
		return true;
	},
	has({ _: { data, setupState, accessCache, ctx, appContext, props, type } }, key) {
		let cssModules;
		return !!(accessCache[key] || hasSetupBinding(setupState, key) || hasOwn(props, key) || hasOwn(ctx, key) || hasOwn(publicPropertiesMap, key) || hasOwn(appContext.config.globalProperties, key) || (cssModules = type.__cssModules) && cssModules[key]);
	},
	defineProperty(target, key, descriptor) {
		if (descriptor.get != null) target._.accessCache[key] = 0;
		else if (hasOwn(descriptor, "value")) this.set(target, key, descriptor.value, null);
		return Reflect.defineProperty(target, key, descriptor);
	}
};
function normalizePropsOrEmits(props) {
	return isArray(props) ? props.reduce((normalized, p) => (normalized[p] = null, normalized), {}) : props;
}
function mergeModels(a, b) {
	if (!a || !b) return a || b;
	if (isArray(a) && isArray(b)) return a.concat(b);
	return extend$1({}, normalizePropsOrEmits(a), normalizePropsOrEmits(b));
}
function createAppContext() {
	return {
		app: null,
		config: {
			isNativeTag: NO,
			performance: false,
			globalProperties: {},
			optionMergeStrategies: {},
			errorHandler: void 0,
			warnHandler: void 0,
			compilerOptions: {}
		},
		mixins: [],
		components: {},
		directives: {},
		provides: /* @__PURE__ */ Object.create(null),
		optionsCache: /* @__PURE__ */ new WeakMap(),
		propsCache: /* @__PURE__ */ new WeakMap(),
		emitsCache: /* @__PURE__ */ new WeakMap()
	};
}
var uid$1 = 0;
function createAppAPI(render, hydrate) {
	return function createApp(rootComponent, rootProps = null) {
		if (!isFunction(rootComponent)) rootComponent = extend$1({}, rootComponent);
		if (rootProps != null && !isObject$1(rootProps)) rootProps = null;
		const context = createAppContext();
		const installedPlugins = /* @__PURE__ */ new WeakSet();
		const pluginCleanupFns = [];
		let isMounted = false;
		const app = context.app = {
			_uid: uid$1++,
			_component: rootComponent,
			_props: rootProps,
			_container: null,
			_context: context,
			_instance: null,
			version,
			get config() {
				return context.config;
			},
			set config(v) {},
			use(plugin, ...options) {
				if (installedPlugins.has(plugin)) {} else if (plugin && isFunction(plugin.install)) {
					installedPlugins.add(plugin);
					plugin.install(app, ...options);
				} else if (isFunction(plugin)) {
					installedPlugins.add(plugin);
					plugin(app, ...options);
				}
				return app;
			},
			mixin(mixin) {
				return app;
			},
			component(name, component) {
				if (!component) return context.components[name];
				context.components[name] = component;
				return app;
			},
			directive(name, directive) {
				if (!directive) return context.directives[name];
				context.directives[name] = directive;
				return app;
			},
			mount(rootContainer, isHydrate, namespace) {
				if (!isMounted) {
					const vnode = app._ceVNode || createVNode(rootComponent, rootProps);
					vnode.appContext = context;
					if (namespace === true) namespace = "svg";
					else if (namespace === false) namespace = void 0;
					if (isHydrate && hydrate) hydrate(vnode, rootContainer);
					else render(vnode, rootContainer, namespace);
					isMounted = true;
					app._container = rootContainer;
					rootContainer.__vue_app__ = app;
					return getComponentPublicInstance(vnode.component);
				}
			},
			onUnmount(cleanupFn) {
				pluginCleanupFns.push(cleanupFn);
			},
			unmount() {
				if (isMounted) {
					callWithAsyncErrorHandling(pluginCleanupFns, app._instance, 16);
					render(null, app._container);
					delete app._container.__vue_app__;
				}
			},
			provide(key, value) {
				context.provides[key] = value;
				return app;
			},
			runWithContext(fn) {
				const lastApp = currentApp;
				currentApp = app;
				try {
					return fn();
				} finally {
					currentApp = lastApp;
				}
			}
		};
		return app;
	};
}
var currentApp = null;
function useModel(props, name, options = EMPTY_OBJ) {
	const i = getCurrentInstance();
	const camelizedName = camelize(name);
	const hyphenatedName = hyphenate(name);
	const modifiers = getModelModifiers(props, camelizedName);
	const res = customRef((track, trigger) => {
		let localValue;
		let prevSetValue = EMPTY_OBJ;
		let prevEmittedValue;
		watchSyncEffect(() => {
			const propValue = props[camelizedName];
			if (hasChanged(localValue, propValue)) {
				localValue = propValue;
				trigger();
			}
		});
		return {
			get() {
				track();
				return options.get ? options.get(localValue) : localValue;
			},
			set(value) {
				const emittedValue = options.set ? options.set(value) : value;
				if (!hasChanged(emittedValue, localValue) && !(prevSetValue !== EMPTY_OBJ && hasChanged(value, prevSetValue))) return;
				const rawProps = i.vnode.props;
				const hasVModel = !!(rawProps && (name in rawProps || camelizedName in rawProps || hyphenatedName in rawProps) && (`onUpdate:${name}` in rawProps || `onUpdate:${camelizedName}` in rawProps || `onUpdate:${hyphenatedName}` in rawProps));
				if (!hasVModel) {
					localValue = value;
					trigger();
				}
				i.emit(`update:${name}`, emittedValue);
				if (hasChanged(value, prevSetValue) && (hasChanged(value, emittedValue) && !hasChanged(emittedValue, prevEmittedValue) || hasVModel && prevSetValue !== EMPTY_OBJ && !hasChanged(emittedValue, localValue))) trigger();
				prevSetValue = value;
				prevEmittedValue = emittedValue;
			}
		};
	});
	res[Symbol.iterator] = () => {
		let i2 = 0;
		return { next() {
			if (i2 < 2) return {
				value: i2++ ? modifiers || EMPTY_OBJ : res,
				done: false
			};
			else return { done: true };
		} };
	};
	return res;
}
var getModelModifiers = (props, modelName) => {
	return modelName === "modelValue" || modelName === "model-value" ? props.modelModifiers : props[`${modelName}Modifiers`] || props[`${camelize(modelName)}Modifiers`] || props[`${hyphenate(modelName)}Modifiers`];
};
function emit(instance, event, ...rawArgs) {
	if (instance.isUnmounted) return;
	const props = instance.vnode.props || EMPTY_OBJ;
	let args = rawArgs;
	const isModelListener = event.startsWith("update:");
	const modifiers = isModelListener && getModelModifiers(props, event.slice(7));
	if (modifiers) {
		if (modifiers.trim) args = rawArgs.map((a) => isString(a) ? a.trim() : a);
		if (modifiers.number) args = args.map(looseToNumber);
	}
	let handlerName;
	let handler = props[handlerName = toHandlerKey(event)] || props[handlerName = toHandlerKey(camelize(event))];
	if (!handler && isModelListener) handler = props[handlerName = toHandlerKey(hyphenate(event))];
	if (handler) callWithAsyncErrorHandling(handler, instance, 6, args);
	const onceHandler = props[handlerName + `Once`];
	if (onceHandler) {
		if (!instance.emitted) instance.emitted = {};
		else if (instance.emitted[handlerName]) return;
		instance.emitted[handlerName] = true;
		callWithAsyncErrorHandling(onceHandler, instance, 6, args);
	}
}
function normalizeEmitsOptions(comp, appContext, asMixin = false) {
	const cache = appContext.emitsCache;
	const cached = cache.get(comp);
	if (cached !== void 0) return cached;
	const raw = comp.emits;
	let normalized = {};
	if (!raw && true) {
		if (isObject$1(comp)) cache.set(comp, null);
		return null;
	}
	if (isArray(raw)) raw.forEach((key) => normalized[key] = null);
	else extend$1(normalized, raw);
	if (isObject$1(comp)) cache.set(comp, normalized);
	return normalized;
}
function isEmitListener(options, key) {
	if (!options || !isOn(key)) return false;
	key = key.slice(2);
	key = key === "Once" ? key : key.replace(/Once$/, "");
	return hasOwn(options, key[0].toLowerCase() + key.slice(1)) || hasOwn(options, hyphenate(key)) || hasOwn(options, key);
}
function renderComponentRoot(instance) {
	const { type: Component, vnode, proxy, withProxy, propsOptions: [propsOptions], slots, attrs, emit, render, renderCache, props, data, setupState, ctx, inheritAttrs } = instance;
	const prev = setCurrentRenderingInstance(instance);
	let result;
	let fallthroughAttrs;
	try {
		if (vnode.shapeFlag & 4) {
			const proxyToUse = withProxy || proxy;
			const thisProxy = proxyToUse;
			result = normalizeVNode(render.call(thisProxy, proxyToUse, renderCache, props, setupState, data, ctx));
			fallthroughAttrs = attrs;
		} else {
			const render2 = Component;
			result = normalizeVNode(render2.length > 1 ? render2(props, {
				attrs,
				slots,
				emit
			}) : render2(props, null));
			fallthroughAttrs = Component.props ? attrs : getFunctionalFallthrough(attrs);
		}
	} catch (err) {
		blockStack.length = 0;
		handleError(err, instance, 1);
		result = createVNode(Comment);
	}
	let root = result;
	if (fallthroughAttrs && inheritAttrs !== false) {
		const keys = Object.keys(fallthroughAttrs);
		const { shapeFlag } = root;
		if (keys.length) {
			if (shapeFlag & 7) {
				if (propsOptions && keys.some(isModelListener)) fallthroughAttrs = filterModelListeners(fallthroughAttrs, propsOptions);
				root = cloneVNode(root, fallthroughAttrs, false, true);
			}
		}
	}
	if (vnode.dirs) {
		root = cloneVNode(root, null, false, true);
		root.dirs = root.dirs ? root.dirs.concat(vnode.dirs) : vnode.dirs;
	}
	if (vnode.transition) setTransitionHooks(isTeleport(root.type) ? getInnerChild$1(root) || root : root, vnode.transition);
	result = root;
	setCurrentRenderingInstance(prev);
	return result;
}
function filterSingleRoot(children, recurse = true) {
	let singleRoot;
	for (let i = 0; i < children.length; i++) {
		const child = children[i];
		if (isVNode(child)) {
			if (child.type !== Comment || child.children === "v-if") {
				if (singleRoot) return;
				else singleRoot = child;
			}
		} else return;
	}
	return singleRoot;
}
var getFunctionalFallthrough = (attrs) => {
	let res;
	for (const key in attrs) if (key === "class" || key === "style" || isOn(key)) (res || (res = {}))[key] = attrs[key];
	return res;
};
var filterModelListeners = (attrs, props) => {
	const res = {};
	for (const key in attrs) if (!isModelListener(key) || !(key.slice(9) in props)) res[key] = attrs[key];
	return res;
};
function shouldUpdateComponent(prevVNode, nextVNode, optimized) {
	const { props: prevProps, children: prevChildren, component } = prevVNode;
	const { props: nextProps, children: nextChildren, patchFlag } = nextVNode;
	const emits = component.emitsOptions;
	if (nextVNode.dirs || nextVNode.transition) return true;
	if (optimized && patchFlag >= 0) {
		if (patchFlag & 1024) return true;
		if (patchFlag & 16) {
			if (!prevProps) return !!nextProps;
			return hasPropsChanged(prevProps, nextProps, emits);
		} else if (patchFlag & 8) {
			const dynamicProps = nextVNode.dynamicProps;
			for (let i = 0; i < dynamicProps.length; i++) {
				const key = dynamicProps[i];
				if (hasPropValueChanged(nextProps, prevProps, key) && !isEmitListener(emits, key)) return true;
			}
		}
	} else {
		if (prevChildren || nextChildren) {
			if (!nextChildren || !nextChildren.$stable) return true;
		}
		if (prevProps === nextProps) return false;
		if (!prevProps) return !!nextProps;
		if (!nextProps) return true;
		return hasPropsChanged(prevProps, nextProps, emits);
	}
	return false;
}
function hasPropsChanged(prevProps, nextProps, emitsOptions) {
	const nextKeys = Object.keys(nextProps);
	if (nextKeys.length !== Object.keys(prevProps).length) return true;
	for (let i = 0; i < nextKeys.length; i++) {
		const key = nextKeys[i];
		if (!hasOwn(prevProps, key) || hasPropValueChanged(nextProps, prevProps, key) && !isEmitListener(emitsOptions, key)) return true;
	}
	return false;
}
function hasPropValueChanged(nextProps, prevProps, key) {
	const nextProp = nextProps[key];
	const prevProp = prevProps[key];
	if (key === "style" && isObject$1(nextProp) && isObject$1(prevProp)) return !looseEqual(nextProp, prevProp);
	return nextProp !== prevProp;
}
function updateHOCHostEl({ vnode, parent, suspense }, el) {
	while (parent) {
		const root = parent.subTree;
		if (root.suspense && root.suspense.activeBranch === vnode) {
			root.suspense.vnode.el = root.el = el;
			vnode = root;
		}
		if (root === vnode) {
			(vnode = parent.vnode).el = el;
			parent = parent.parent;
		} else break;
	}
	if (suspense && suspense.activeBranch === vnode) suspense.vnode.el = el;
}
var internalObjectProto = {};
var createInternalObject = () => Object.create(internalObjectProto);
var isInternalObject = (obj) => Object.getPrototypeOf(obj) === internalObjectProto;
function initProps(instance, rawProps, isStateful, isSSR = false) {
	const props = {};
	const attrs = createInternalObject();
	instance.propsDefaults = /* @__PURE__ */ Object.create(null);
	setFullProps(instance, rawProps, props, attrs);
	for (const key in instance.propsOptions[0]) if (!(key in props)) props[key] = void 0;
	if (isStateful) instance.props = isSSR ? props : /* @__PURE__ */ shallowReactive(props);
	else if (!instance.type.props) instance.props = attrs;
	else instance.props = props;
	instance.attrs = attrs;
}
function updateProps(instance, rawProps, rawPrevProps, optimized) {
	const { props, attrs, vnode: { patchFlag } } = instance;
	const rawCurrentProps = /* @__PURE__ */ toRaw(props);
	const [options] = instance.propsOptions;
	let hasAttrsChanged = false;
	if ((optimized || patchFlag > 0) && !(patchFlag & 16)) {
		if (patchFlag & 8) {
			const propsToUpdate = instance.vnode.dynamicProps;
			for (let i = 0; i < propsToUpdate.length; i++) {
				let key = propsToUpdate[i];
				if (isEmitListener(instance.emitsOptions, key)) continue;
				const value = rawProps[key];
				if (options) {
					if (hasOwn(attrs, key)) {
						if (value !== attrs[key]) {
							attrs[key] = value;
							hasAttrsChanged = true;
						}
					} else {
						const camelizedKey = camelize(key);
						props[camelizedKey] = resolvePropValue(options, rawCurrentProps, camelizedKey, value, instance, false);
					}
				} else if (value !== attrs[key]) {
					attrs[key] = value;
					hasAttrsChanged = true;
				}
			}
		}
	} else {
		if (setFullProps(instance, rawProps, props, attrs)) hasAttrsChanged = true;
		let kebabKey;
		for (const key in rawCurrentProps) if (!rawProps || !hasOwn(rawProps, key) && ((kebabKey = hyphenate(key)) === key || !hasOwn(rawProps, kebabKey))) {
			if (options) {
				if (rawPrevProps && (rawPrevProps[key] !== void 0 || rawPrevProps[kebabKey] !== void 0)) props[key] = resolvePropValue(options, rawCurrentProps, key, void 0, instance, true);
			} else delete props[key];
		}
		if (attrs !== rawCurrentProps) {
			for (const key in attrs) if (!rawProps || !hasOwn(rawProps, key) && true) {
				delete attrs[key];
				hasAttrsChanged = true;
			}
		}
	}
	if (hasAttrsChanged) trigger(instance.attrs, "set", "");
}
function setFullProps(instance, rawProps, props, attrs) {
	const [options, needCastKeys] = instance.propsOptions;
	let hasAttrsChanged = false;
	let rawCastValues;
	if (rawProps) for (let key in rawProps) {
		if (isReservedProp(key)) continue;
		const value = rawProps[key];
		let camelKey;
		if (options && hasOwn(options, camelKey = camelize(key))) {
			if (!needCastKeys || !needCastKeys.includes(camelKey)) props[camelKey] = value;
			else (rawCastValues || (rawCastValues = {}))[camelKey] = value;
		} else if (!isEmitListener(instance.emitsOptions, key)) {
			if (!(key in attrs) || value !== attrs[key]) {
				attrs[key] = value;
				hasAttrsChanged = true;
			}
		}
	}
	if (needCastKeys) {
		const rawCurrentProps = /* @__PURE__ */ toRaw(props);
		const castValues = rawCastValues || EMPTY_OBJ;
		for (let i = 0; i < needCastKeys.length; i++) {
			const key = needCastKeys[i];
			props[key] = resolvePropValue(options, rawCurrentProps, key, castValues[key], instance, !hasOwn(castValues, key));
		}
	}
	return hasAttrsChanged;
}
function resolvePropValue(options, props, key, value, instance, isAbsent) {
	const opt = options[key];
	if (opt != null) {
		const hasDefault = hasOwn(opt, "default");
		if (hasDefault && value === void 0) {
			const defaultValue = opt.default;
			if (opt.type !== Function && !opt.skipFactory && isFunction(defaultValue)) {
				const { propsDefaults } = instance;
				if (key in propsDefaults) value = propsDefaults[key];
				else {
					const reset = setCurrentInstance(instance);
					value = propsDefaults[key] = defaultValue.call(null, props);
					reset();
				}
			} else value = defaultValue;
			if (instance.ce) instance.ce._setProp(key, value);
		}
		if (opt[0]) {
			if (isAbsent && !hasDefault) value = false;
			else if (opt[1] && (value === "" || value === hyphenate(key))) value = true;
		}
	}
	return value;
}
function normalizePropsOptions(comp, appContext, asMixin = false) {
	const cache = appContext.propsCache;
	const cached = cache.get(comp);
	if (cached) return cached;
	const raw = comp.props;
	const normalized = {};
	const needCastKeys = [];
	if (!raw && true) {
		if (isObject$1(comp)) cache.set(comp, EMPTY_ARR);
		return EMPTY_ARR;
	}
	if (isArray(raw)) for (let i = 0; i < raw.length; i++) {
		const normalizedKey = camelize(raw[i]);
		if (validatePropName(normalizedKey)) normalized[normalizedKey] = EMPTY_OBJ;
	}
	else if (raw) for (const key in raw) {
		const normalizedKey = camelize(key);
		if (validatePropName(normalizedKey)) {
			const opt = raw[key];
			const prop = normalized[normalizedKey] = isArray(opt) || isFunction(opt) ? { type: opt } : extend$1({}, opt);
			const propType = prop.type;
			let shouldCast = false;
			let shouldCastTrue = true;
			if (isArray(propType)) for (let index = 0; index < propType.length; ++index) {
				const type = propType[index];
				const typeName = isFunction(type) && type.name;
				if (typeName === "Boolean") {
					shouldCast = true;
					break;
				} else if (typeName === "String") shouldCastTrue = false;
			}
			else shouldCast = isFunction(propType) && propType.name === "Boolean";
			prop[0] = shouldCast;
			prop[1] = shouldCastTrue;
			if (shouldCast || hasOwn(prop, "default")) needCastKeys.push(normalizedKey);
		}
	}
	const res = [normalized, needCastKeys];
	if (isObject$1(comp)) cache.set(comp, res);
	return res;
}
function validatePropName(key) {
	if (key[0] !== "$" && !isReservedProp(key)) return true;
	return false;
}
var isInternalKey = (key) => key === "_" || key === "_ctx" || key === "$stable";
var normalizeSlotValue = (value) => isArray(value) ? value.map(normalizeVNode) : [normalizeVNode(value)];
var normalizeSlot = (key, rawSlot, ctx) => {
	if (rawSlot._n) return rawSlot;
	const normalized = withCtx((...args) => {
		return normalizeSlotValue(rawSlot(...args));
	}, ctx);
	normalized._c = false;
	return normalized;
};
var normalizeObjectSlots = (rawSlots, slots, instance) => {
	const ctx = rawSlots._ctx;
	for (const key in rawSlots) {
		if (isInternalKey(key)) continue;
		const value = rawSlots[key];
		if (isFunction(value)) slots[key] = normalizeSlot(key, value, ctx);
		else if (value != null) {
			const normalized = normalizeSlotValue(value);
			slots[key] = () => normalized;
		}
	}
};
var normalizeVNodeSlots = (instance, children) => {
	const normalized = normalizeSlotValue(children);
	instance.slots.default = () => normalized;
};
var assignSlots = (slots, children, optimized) => {
	for (const key in children) if (optimized || !isInternalKey(key)) slots[key] = children[key];
};
var initSlots = (instance, children, optimized) => {
	const slots = instance.slots = createInternalObject();
	if (instance.vnode.shapeFlag & 32) {
		const type = children._;
		if (type) {
			assignSlots(slots, children, optimized);
			if (optimized) def(slots, "_", type, true);
		} else normalizeObjectSlots(children, slots);
	} else if (children) normalizeVNodeSlots(instance, children);
};
var updateSlots = (instance, children, optimized) => {
	const { vnode, slots } = instance;
	let needDeletionCheck = true;
	let deletionComparisonTarget = EMPTY_OBJ;
	if (vnode.shapeFlag & 32) {
		const type = children._;
		if (type) {
			if (optimized && type === 1) needDeletionCheck = false;
			else assignSlots(slots, children, optimized);
		} else {
			needDeletionCheck = !children.$stable;
			normalizeObjectSlots(children, slots);
		}
		deletionComparisonTarget = children;
	} else if (children) {
		normalizeVNodeSlots(instance, children);
		deletionComparisonTarget = { default: 1 };
	}
	if (needDeletionCheck) {
		for (const key in slots) if (!isInternalKey(key) && deletionComparisonTarget[key] == null) delete slots[key];
	}
};
var queuePostRenderEffect = queueEffectWithSuspense;
function createRenderer(options) {
	return baseCreateRenderer(options);
}
function baseCreateRenderer(options, createHydrationFns) {
	const target = getGlobalThis();
	target.__VUE__ = true;
	const { insert: hostInsert, remove: hostRemove, patchProp: hostPatchProp, createElement: hostCreateElement, createText: hostCreateText, createComment: hostCreateComment, setText: hostSetText, setElementText: hostSetElementText, parentNode: hostParentNode, nextSibling: hostNextSibling, setScopeId: hostSetScopeId = NOOP, insertStaticContent: hostInsertStaticContent } = options;
	const patch = (n1, n2, container, anchor = null, parentComponent = null, parentSuspense = null, namespace = void 0, slotScopeIds = null, optimized = !!n2.dynamicChildren) => {
		if (n1 === n2) return;
		if (n1 && !isSameVNodeType(n1, n2)) {
			anchor = getNextHostNode(n1);
			unmount(n1, parentComponent, parentSuspense, true);
			n1 = null;
		}
		if (n2.patchFlag === -2) {
			optimized = false;
			n2.dynamicChildren = null;
		}
		if (n2.dynamicChildren && n1 && n1.dynamicChildren && n1.dynamicChildren.hasOnce) {
			if (n2.dynamicChildren === EMPTY_ARR) n2.dynamicChildren = [];
			n2.dynamicChildren.hasOnce = true;
		}
		const { type, ref, shapeFlag } = n2;
		switch (type) {
			case Text:
				processText(n1, n2, container, anchor);
				break;
			case Comment:
				processCommentNode(n1, n2, container, anchor);
				break;
			case Static:
				if (n1 == null) mountStaticNode(n2, container, anchor, namespace);
				break;
			case Fragment:
				processFragment(n1, n2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
				break;
			default: if (shapeFlag & 1) processElement(n1, n2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
			else if (shapeFlag & 6) processComponent(n1, n2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
			else if (shapeFlag & 64) type.process(n1, n2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized, internals);
			else if (shapeFlag & 128) type.process(n1, n2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized, internals);
		}
		if (ref != null && parentComponent) setRef(ref, n1 && n1.ref, parentSuspense, n2 || n1, !n2);
		else if (ref == null && n1 && n1.ref != null) setRef(n1.ref, null, parentSuspense, n1, true);
	};
	const processText = (n1, n2, container, anchor) => {
		if (n1 == null) hostInsert(n2.el = hostCreateText(n2.children), container, anchor);
		else {
			const el = n2.el = n1.el;
			if (n2.children !== n1.children) hostSetText(el, n2.children);
		}
	};
	const processCommentNode = (n1, n2, container, anchor) => {
		if (n1 == null) hostInsert(n2.el = hostCreateComment(n2.children || ""), container, anchor);
		else n2.el = n1.el;
	};
	const mountStaticNode = (n2, container, anchor, namespace) => {
		[n2.el, n2.anchor] = hostInsertStaticContent(n2.children, container, anchor, namespace, n2.el, n2.anchor);
	};
	const moveStaticNode = ({ el, anchor }, container, nextSibling) => {
		let next;
		while (el && el !== anchor) {
			next = hostNextSibling(el);
			hostInsert(el, container, nextSibling);
			el = next;
		}
		hostInsert(anchor, container, nextSibling);
	};
	const removeStaticNode = ({ el, anchor }) => {
		let next;
		while (el && el !== anchor) {
			next = hostNextSibling(el);
			hostRemove(el);
			el = next;
		}
		hostRemove(anchor);
	};
	const processElement = (n1, n2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized) => {
		if (n2.type === "svg") namespace = "svg";
		else if (n2.type === "math") namespace = "mathml";
		if (n1 == null) mountElement(n2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
		else {
			const customElement = n1.el && n1.el._isVueCE ? n1.el : null;
			try {
				if (customElement) customElement._beginPatch();
				patchElement(n1, n2, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
			} finally {
				if (customElement) customElement._endPatch();
			}
		}
	};
	const mountElement = (vnode, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized) => {
		let el;
		let vnodeHook;
		const { props, shapeFlag, transition, dirs } = vnode;
		el = vnode.el = hostCreateElement(vnode.type, namespace, props && props.is, props);
		if (shapeFlag & 8) hostSetElementText(el, vnode.children);
		else if (shapeFlag & 16) mountChildren(vnode.children, el, null, parentComponent, parentSuspense, resolveChildrenNamespace(vnode, namespace), slotScopeIds, optimized);
		if (dirs) invokeDirectiveHook(vnode, null, parentComponent, "created");
		setScopeId(el, vnode, vnode.scopeId, slotScopeIds, parentComponent);
		if (props) {
			for (const key in props) if (key !== "value" && !isReservedProp(key)) hostPatchProp(el, key, null, props[key], namespace, parentComponent);
			if ("value" in props) hostPatchProp(el, "value", null, props.value, namespace);
			if (vnodeHook = props.onVnodeBeforeMount) invokeVNodeHook(vnodeHook, parentComponent, vnode);
		}
		if (dirs) invokeDirectiveHook(vnode, null, parentComponent, "beforeMount");
		const needCallTransitionHooks = needTransition(parentSuspense, transition);
		if (needCallTransitionHooks) transition.beforeEnter(el);
		else if (transition && !transition.persisted) el[deferredEnterKey] = true;
		hostInsert(el, container, anchor);
		if ((vnodeHook = props && props.onVnodeMounted) || needCallTransitionHooks || dirs) queuePostRenderEffect(() => {
			try {
				vnodeHook && invokeVNodeHook(vnodeHook, parentComponent, vnode);
				needCallTransitionHooks && transition.enter(el);
				dirs && invokeDirectiveHook(vnode, null, parentComponent, "mounted");
			} finally {}
		}, parentSuspense);
	};
	const setScopeId = (el, vnode, scopeId, slotScopeIds, parentComponent) => {
		if (scopeId) hostSetScopeId(el, scopeId);
		if (slotScopeIds) for (let i = 0; i < slotScopeIds.length; i++) hostSetScopeId(el, slotScopeIds[i]);
		if (parentComponent) {
			let subTree = parentComponent.subTree;
			if (vnode === subTree || isSuspense(subTree.type) && (subTree.ssContent === vnode || subTree.ssFallback === vnode)) {
				const parentVNode = parentComponent.vnode;
				setScopeId(el, parentVNode, parentVNode.scopeId, parentVNode.slotScopeIds, parentComponent.parent);
			}
		}
	};
	const mountChildren = (children, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized, start = 0) => {
		for (let i = start; i < children.length; i++) {
			const child = children[i] = optimized ? cloneIfMounted(children[i]) : normalizeVNode(children[i]);
			patch(null, child, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
		}
	};
	const patchElement = (n1, n2, parentComponent, parentSuspense, namespace, slotScopeIds, optimized) => {
		const el = n2.el = n1.el;
		let { patchFlag, dynamicChildren, dirs } = n2;
		patchFlag |= n1.patchFlag & 16;
		const oldProps = n1.props || EMPTY_OBJ;
		const newProps = n2.props || EMPTY_OBJ;
		let vnodeHook;
		parentComponent && toggleRecurse(parentComponent, false);
		if (vnodeHook = newProps.onVnodeBeforeUpdate) invokeVNodeHook(vnodeHook, parentComponent, n2, n1);
		if (dirs) invokeDirectiveHook(n2, n1, parentComponent, "beforeUpdate");
		parentComponent && toggleRecurse(parentComponent, true);
		if (dynamicChildren && (!n1.dynamicChildren || n1.dynamicChildren.length !== dynamicChildren.length)) {
			patchFlag = 0;
			optimized = false;
			dynamicChildren = null;
		}
		if (oldProps.innerHTML && newProps.innerHTML == null || oldProps.textContent && newProps.textContent == null) hostSetElementText(el, "");
		if (dynamicChildren) patchBlockChildren(n1.dynamicChildren, dynamicChildren, el, parentComponent, parentSuspense, resolveChildrenNamespace(n2, namespace), slotScopeIds);
		else if (!optimized) patchChildren(n1, n2, el, null, parentComponent, parentSuspense, resolveChildrenNamespace(n2, namespace), slotScopeIds, false);
		if (patchFlag > 0) {
			if (patchFlag & 16) patchProps(el, oldProps, newProps, parentComponent, namespace);
			else {
				if (patchFlag & 2) {
					if (oldProps.class !== newProps.class) hostPatchProp(el, "class", null, newProps.class, namespace);
				}
				if (patchFlag & 4) hostPatchProp(el, "style", oldProps.style, newProps.style, namespace);
				if (patchFlag & 8) {
					const propsToUpdate = n2.dynamicProps;
					for (let i = 0; i < propsToUpdate.length; i++) {
						const key = propsToUpdate[i];
						const prev = oldProps[key];
						const next = newProps[key];
						if (next !== prev || key === "value") hostPatchProp(el, key, prev, next, namespace, parentComponent);
					}
				}
			}
			if (patchFlag & 1) {
				if (n1.children !== n2.children) hostSetElementText(el, n2.children);
			}
		} else if (!optimized && dynamicChildren == null) patchProps(el, oldProps, newProps, parentComponent, namespace);
		if ((vnodeHook = newProps.onVnodeUpdated) || dirs) queuePostRenderEffect(() => {
			vnodeHook && invokeVNodeHook(vnodeHook, parentComponent, n2, n1);
			dirs && invokeDirectiveHook(n2, n1, parentComponent, "updated");
		}, parentSuspense);
	};
	const patchBlockChildren = (oldChildren, newChildren, fallbackContainer, parentComponent, parentSuspense, namespace, slotScopeIds) => {
		for (let i = 0; i < newChildren.length; i++) {
			const oldVNode = oldChildren[i];
			const newVNode = newChildren[i];
			const oldEl = oldVNode.el || resolveAsyncComponentPlaceholder(oldVNode);
			const container = oldEl && (oldVNode.type === Fragment || !isSameVNodeType(oldVNode, newVNode) || oldVNode.shapeFlag & 198) ? hostParentNode(oldEl) : fallbackContainer;
			patch(oldVNode, newVNode, container, null, parentComponent, parentSuspense, namespace, slotScopeIds, true);
		}
	};
	const patchProps = (el, oldProps, newProps, parentComponent, namespace) => {
		if (oldProps !== newProps) {
			if (oldProps !== EMPTY_OBJ) {
				for (const key in oldProps) if (!isReservedProp(key) && !(key in newProps)) hostPatchProp(el, key, oldProps[key], null, namespace, parentComponent);
			}
			for (const key in newProps) {
				if (isReservedProp(key)) continue;
				const next = newProps[key];
				const prev = oldProps[key];
				if (next !== prev && key !== "value") hostPatchProp(el, key, prev, next, namespace, parentComponent);
			}
			if ("value" in newProps) hostPatchProp(el, "value", oldProps.value, newProps.value, namespace);
		}
	};
	const processFragment = (n1, n2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized) => {
		const fragmentStartAnchor = n2.el = n1 ? n1.el : hostCreateText("");
		const fragmentEndAnchor = n2.anchor = n1 ? n1.anchor : hostCreateText("");
		let { patchFlag, dynamicChildren, slotScopeIds: fragmentSlotScopeIds } = n2;
		if (fragmentSlotScopeIds) slotScopeIds = slotScopeIds ? slotScopeIds.concat(fragmentSlotScopeIds) : fragmentSlotScopeIds;
		if (n1 == null) {
			hostInsert(fragmentStartAnchor, container, anchor);
			hostInsert(fragmentEndAnchor, container, anchor);
			mountChildren(n2.children || [], container, fragmentEndAnchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
		} else if (patchFlag > 0 && patchFlag & 64 && dynamicChildren && n1.dynamicChildren && n1.dynamicChildren.length === dynamicChildren.length) {
			patchBlockChildren(n1.dynamicChildren, dynamicChildren, container, parentComponent, parentSuspense, namespace, slotScopeIds);
			if (n2.key != null || parentComponent && n2 === parentComponent.subTree) traverseStaticChildren(n1, n2, true);
		} else patchChildren(n1, n2, container, fragmentEndAnchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
	};
	const processComponent = (n1, n2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized) => {
		n2.slotScopeIds = slotScopeIds;
		if (n1 == null) {
			if (n2.shapeFlag & 512) parentComponent.ctx.activate(n2, container, anchor, namespace, optimized);
			else mountComponent(n2, container, anchor, parentComponent, parentSuspense, namespace, optimized);
		} else updateComponent(n1, n2, optimized);
	};
	const mountComponent = (initialVNode, container, anchor, parentComponent, parentSuspense, namespace, optimized) => {
		const instance = initialVNode.component = createComponentInstance(initialVNode, parentComponent, parentSuspense);
		if (isKeepAlive(initialVNode)) instance.ctx.renderer = internals;
		setupComponent(instance, false, optimized);
		if (instance.asyncDep) {
			parentSuspense && parentSuspense.registerDep(instance, setupRenderEffect, optimized, namespace);
			if (!initialVNode.el) {
				const placeholder = instance.subTree = createVNode(Comment);
				processCommentNode(null, placeholder, container, anchor);
				initialVNode.placeholder = placeholder.el;
			}
		} else setupRenderEffect(instance, initialVNode, container, anchor, parentSuspense, namespace, optimized);
	};
	const updateComponent = (n1, n2, optimized) => {
		const instance = n2.component = n1.component;
		if (shouldUpdateComponent(n1, n2, optimized)) {
			if (instance.asyncDep && !instance.asyncResolved) {
				n2.el = n1.el;
				n2.placeholder = n1.placeholder;
				updateComponentPreRender(instance, n2, optimized);
				return;
			} else {
				instance.next = n2;
				instance.update();
			}
		} else {
			n2.el = n1.el;
			n2.placeholder = n1.placeholder;
			instance.vnode = n2;
		}
	};
	const setupRenderEffect = (instance, initialVNode, container, anchor, parentSuspense, namespace, optimized) => {
		const componentUpdateFn = () => {
			if (!instance.isMounted) {
				let vnodeHook;
				const { el, props } = initialVNode;
				const { bm, m, parent, root, type } = instance;
				const isAsyncWrapperVNode = isAsyncWrapper(initialVNode);
				toggleRecurse(instance, false);
				if (bm) invokeArrayFns(bm);
				if (!isAsyncWrapperVNode && (vnodeHook = props && props.onVnodeBeforeMount)) invokeVNodeHook(vnodeHook, parent, initialVNode);
				toggleRecurse(instance, true);
				if (el && hydrateNode) {
					const hydrateSubTree = () => {
						instance.subTree = renderComponentRoot(instance);
						hydrateNode(el, instance.subTree, instance, parentSuspense, null);
					};
					if (isAsyncWrapperVNode && type.__asyncHydrate) type.__asyncHydrate(el, instance, hydrateSubTree);
					else hydrateSubTree();
				} else {
					if (root.ce && root.ce._hasShadowRoot()) root.ce._injectChildStyle(type, instance.parent ? instance.parent.type : void 0);
					const subTree = instance.subTree = renderComponentRoot(instance);
					patch(null, subTree, container, anchor, instance, parentSuspense, namespace);
					initialVNode.el = subTree.el;
				}
				if (m) queuePostRenderEffect(m, parentSuspense);
				if (!isAsyncWrapperVNode && (vnodeHook = props && props.onVnodeMounted)) {
					const scopedInitialVNode = initialVNode;
					queuePostRenderEffect(() => invokeVNodeHook(vnodeHook, parent, scopedInitialVNode), parentSuspense);
				}
				if (initialVNode.shapeFlag & 256 || parent && isAsyncWrapper(parent.vnode) && parent.vnode.shapeFlag & 256) instance.a && queuePostRenderEffect(instance.a, parentSuspense);
				instance.isMounted = true;
				initialVNode = container = anchor = null;
			} else {
				let { next, bu, u, parent, vnode } = instance;
				{
					const unresolvedAsyncRoot = locateUnresolvedAsyncRoot(instance);
					if (unresolvedAsyncRoot) {
						if (next) {
							next.el = vnode.el;
							updateComponentPreRender(instance, next, optimized);
						}
						unresolvedAsyncRoot.asyncDep.then(() => {
							const retry = () => {
								if (instance.job.flags & 8) return;
								if (parentSuspense && parentSuspense.pendingBranch) queuePostRenderEffect(retry, parentSuspense);
								else update();
							};
							retry.flags = 48;
							queuePostRenderEffect(retry, parentSuspense);
						});
						return;
					}
				}
				let originNext = next;
				let vnodeHook;
				toggleRecurse(instance, false);
				if (next) {
					next.el = vnode.el;
					updateComponentPreRender(instance, next, optimized);
				} else next = vnode;
				if (bu) invokeArrayFns(bu);
				if (vnodeHook = next.props && next.props.onVnodeBeforeUpdate) invokeVNodeHook(vnodeHook, parent, next, vnode);
				toggleRecurse(instance, true);
				const nextTree = renderComponentRoot(instance);
				const prevTree = instance.subTree;
				instance.subTree = nextTree;
				patch(prevTree, nextTree, hostParentNode(prevTree.el || resolveAsyncComponentPlaceholder(prevTree)), getNextHostNode(prevTree), instance, parentSuspense, namespace);
				next.el = nextTree.el;
				if (originNext === null) updateHOCHostEl(instance, nextTree.el);
				if (u) queuePostRenderEffect(u, parentSuspense);
				if (vnodeHook = next.props && next.props.onVnodeUpdated) queuePostRenderEffect(() => invokeVNodeHook(vnodeHook, parent, next, vnode), parentSuspense);
			}
		};
		instance.scope.on();
		const effect = instance.effect = new ReactiveEffect(componentUpdateFn);
		instance.scope.off();
		const update = instance.update = effect.run.bind(effect);
		const job = instance.job = effect.runIfDirty.bind(effect);
		job.i = instance;
		job.id = instance.uid;
		effect.scheduler = () => queueJob(job);
		toggleRecurse(instance, true);
		update();
	};
	const updateComponentPreRender = (instance, nextVNode, optimized) => {
		nextVNode.component = instance;
		const prevProps = instance.vnode.props;
		instance.vnode = nextVNode;
		instance.next = null;
		updateProps(instance, nextVNode.props, prevProps, optimized);
		updateSlots(instance, nextVNode.children, optimized);
		pauseTracking();
		flushPreFlushCbs(instance);
		resetTracking();
	};
	const patchChildren = (n1, n2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized = false) => {
		const c1 = n1 && n1.children;
		const prevShapeFlag = n1 ? n1.shapeFlag : 0;
		const c2 = n2.children;
		const { patchFlag, shapeFlag } = n2;
		if (patchFlag > 0) {
			if (patchFlag & 128) {
				patchKeyedChildren(c1, c2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
				return;
			} else if (patchFlag & 256) {
				patchUnkeyedChildren(c1, c2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
				return;
			}
		}
		if (shapeFlag & 8) {
			if (prevShapeFlag & 16) unmountChildren(c1, parentComponent, parentSuspense);
			if (c2 !== c1) hostSetElementText(container, c2);
		} else if (prevShapeFlag & 16) {
			if (shapeFlag & 16) patchKeyedChildren(c1, c2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
			else unmountChildren(c1, parentComponent, parentSuspense, true);
		} else {
			if (prevShapeFlag & 8) hostSetElementText(container, "");
			if (shapeFlag & 16) mountChildren(c2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
		}
	};
	const patchUnkeyedChildren = (c1, c2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized) => {
		c1 = c1 || EMPTY_ARR;
		c2 = c2 || EMPTY_ARR;
		const oldLength = c1.length;
		const newLength = c2.length;
		const commonLength = Math.min(oldLength, newLength);
		let i = 0;
		for (; i < commonLength; i++) {
			const nextChild = c2[i] = optimized ? cloneIfMounted(c2[i]) : normalizeVNode(c2[i]);
			patch(c1[i], nextChild, container, null, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
		}
		if (oldLength > newLength) unmountChildren(c1, parentComponent, parentSuspense, true, false, commonLength);
		else mountChildren(c2, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized, commonLength);
	};
	const patchKeyedChildren = (c1, c2, container, parentAnchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized) => {
		let i = 0;
		const l2 = c2.length;
		let e1 = c1.length - 1;
		let e2 = l2 - 1;
		while (i <= e1 && i <= e2) {
			const n1 = c1[i];
			const n2 = c2[i] = optimized ? cloneIfMounted(c2[i]) : normalizeVNode(c2[i]);
			if (isSameVNodeType(n1, n2)) patch(n1, n2, container, null, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
			else break;
			i++;
		}
		while (i <= e1 && i <= e2) {
			const n1 = c1[e1];
			const n2 = c2[e2] = optimized ? cloneIfMounted(c2[e2]) : normalizeVNode(c2[e2]);
			if (isSameVNodeType(n1, n2)) patch(n1, n2, container, null, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
			else break;
			e1--;
			e2--;
		}
		if (i > e1) {
			if (i <= e2) {
				const nextPos = e2 + 1;
				const anchor = nextPos < l2 ? c2[nextPos].el : parentAnchor;
				while (i <= e2) {
					patch(null, c2[i] = optimized ? cloneIfMounted(c2[i]) : normalizeVNode(c2[i]), container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
					i++;
				}
			}
		} else if (i > e2) while (i <= e1) {
			unmount(c1[i], parentComponent, parentSuspense, true);
			i++;
		}
		else {
			const s1 = i;
			const s2 = i;
			const keyToNewIndexMap = /* @__PURE__ */ new Map();
			for (i = s2; i <= e2; i++) {
				const nextChild = c2[i] = optimized ? cloneIfMounted(c2[i]) : normalizeVNode(c2[i]);
				if (nextChild.key != null) keyToNewIndexMap.set(nextChild.key, i);
			}
			let j;
			let patched = 0;
			const toBePatched = e2 - s2 + 1;
			let moved = false;
			let maxNewIndexSoFar = 0;
			const newIndexToOldIndexMap = new Array(toBePatched);
			for (i = 0; i < toBePatched; i++) newIndexToOldIndexMap[i] = 0;
			for (i = s1; i <= e1; i++) {
				const prevChild = c1[i];
				if (patched >= toBePatched) {
					unmount(prevChild, parentComponent, parentSuspense, true);
					continue;
				}
				let newIndex;
				if (prevChild.key != null) newIndex = keyToNewIndexMap.get(prevChild.key);
				else for (j = s2; j <= e2; j++) if (newIndexToOldIndexMap[j - s2] === 0 && isSameVNodeType(prevChild, c2[j])) {
					newIndex = j;
					break;
				}
				if (newIndex === void 0) unmount(prevChild, parentComponent, parentSuspense, true);
				else {
					newIndexToOldIndexMap[newIndex - s2] = i + 1;
					if (newIndex >= maxNewIndexSoFar) maxNewIndexSoFar = newIndex;
					else moved = true;
					patch(prevChild, c2[newIndex], container, null, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
					patched++;
				}
			}
			const increasingNewIndexSequence = moved ? getSequence(newIndexToOldIndexMap) : EMPTY_ARR;
			j = increasingNewIndexSequence.length - 1;
			for (i = toBePatched - 1; i >= 0; i--) {
				const nextIndex = s2 + i;
				const nextChild = c2[nextIndex];
				const anchorVNode = c2[nextIndex + 1];
				const anchor = nextIndex + 1 < l2 ? anchorVNode.el || resolveAsyncComponentPlaceholder(anchorVNode) : parentAnchor;
				if (newIndexToOldIndexMap[i] === 0) patch(null, nextChild, container, anchor, parentComponent, parentSuspense, namespace, slotScopeIds, optimized);
				else if (moved) {
					if (j < 0 || i !== increasingNewIndexSequence[j]) move(nextChild, container, anchor, 2);
					else j--;
				}
			}
		}
	};
	const move = (vnode, container, anchor, moveType, parentSuspense = null) => {
		const { el, type, transition, children, shapeFlag } = vnode;
		if (shapeFlag & 6) {
			move(vnode.component.subTree, container, anchor, moveType);
			return;
		}
		if (shapeFlag & 128) {
			vnode.suspense.move(container, anchor, moveType);
			return;
		}
		if (shapeFlag & 64) {
			type.move(vnode, container, anchor, internals);
			return;
		}
		if (type === Fragment) {
			hostInsert(el, container, anchor);
			for (let i = 0; i < children.length; i++) move(children[i], container, anchor, moveType);
			hostInsert(vnode.anchor, container, anchor);
			return;
		}
		if (type === Static) {
			moveStaticNode(vnode, container, anchor);
			return;
		}
		if (moveType !== 2 && shapeFlag & 1 && transition) {
			if (moveType === 0) {
				if (transition.persisted && !el[leaveCbKey]) hostInsert(el, container, anchor);
				else {
					transition.beforeEnter(el);
					hostInsert(el, container, anchor);
					queuePostRenderEffect(() => transition.enter(el), parentSuspense);
				}
			} else {
				const { leave, delayLeave, afterLeave } = transition;
				const remove2 = () => {
					if (vnode.ctx.isUnmounted) hostRemove(el);
					else hostInsert(el, container, anchor);
				};
				const performLeave = () => {
					const wasLeaving = el._isLeaving || !!el[leaveCbKey];
					if (el._isLeaving) el[leaveCbKey](true);
					if (transition.persisted && !wasLeaving) remove2();
					else leave(el, () => {
						remove2();
						afterLeave && afterLeave();
					});
				};
				if (delayLeave) delayLeave(el, remove2, performLeave);
				else performLeave();
			}
		} else hostInsert(el, container, anchor);
	};
	const unmount = (vnode, parentComponent, parentSuspense, doRemove = false, optimized = false) => {
		const { type, props, ref, children, dynamicChildren, shapeFlag, patchFlag, dirs, cacheIndex, memo } = vnode;
		if (patchFlag === -2 || dynamicChildren && dynamicChildren.hasOnce) optimized = false;
		if (ref != null) {
			pauseTracking();
			setRef(ref, null, parentSuspense, vnode, true);
			resetTracking();
		}
		if (cacheIndex != null && (!vnode.ctx || vnode.ctx === parentComponent)) parentComponent.renderCache[cacheIndex] = void 0;
		if (shapeFlag & 256 && parentComponent.ctx.deactivate(vnode)) return;
		const shouldInvokeDirs = shapeFlag & 1 && dirs;
		const shouldInvokeVnodeHook = !isAsyncWrapper(vnode);
		let vnodeHook;
		if (shouldInvokeVnodeHook && (vnodeHook = props && props.onVnodeBeforeUnmount)) invokeVNodeHook(vnodeHook, parentComponent, vnode);
		if (shapeFlag & 6) unmountComponent(vnode.component, parentSuspense, doRemove);
		else {
			if (shapeFlag & 128) {
				vnode.suspense.unmount(parentSuspense, doRemove);
				return;
			}
			if (shouldInvokeDirs) invokeDirectiveHook(vnode, null, parentComponent, "beforeUnmount");
			if (shapeFlag & 64) vnode.type.remove(vnode, parentComponent, parentSuspense, internals, doRemove);
			else if (dynamicChildren && !dynamicChildren.hasOnce && (type !== Fragment || patchFlag > 0 && patchFlag & 64)) unmountChildren(dynamicChildren, parentComponent, parentSuspense, false, true);
			else if (type === Fragment && patchFlag & 384 || !optimized && shapeFlag & 16) unmountChildren(children, parentComponent, parentSuspense);
			if (doRemove) remove(vnode);
		}
		const shouldInvalidateMemo = memo != null && cacheIndex == null;
		if (shouldInvokeVnodeHook && (vnodeHook = props && props.onVnodeUnmounted) || shouldInvokeDirs || shouldInvalidateMemo) queuePostRenderEffect(() => {
			vnodeHook && invokeVNodeHook(vnodeHook, parentComponent, vnode);
			shouldInvokeDirs && invokeDirectiveHook(vnode, null, parentComponent, "unmounted");
			if (shouldInvalidateMemo) vnode.el = null;
		}, parentSuspense);
	};
	const remove = (vnode) => {
		const { type, el, anchor, transition } = vnode;
		const isFragment = type === Fragment;
		if (isFragment && !transition) {
			removeFragment(el, anchor);
			return;
		}
		if (type === Static) {
			removeStaticNode(vnode);
			if (transition && !transition.persisted && transition.afterLeave) transition.afterLeave();
			return;
		}
		const leavingNode = isFragment ? getTransitionRoot(vnode) : vnode;
		const performRemove = () => {
			if (isFragment) {
				if (hostParentNode(el)) removeFragment(el, anchor);
			} else hostRemove(el);
			if (transition && !transition.persisted && transition.afterLeave) transition.afterLeave();
		};
		if (leavingNode && leavingNode.shapeFlag & 1 && transition && !transition.persisted) {
			const { leave, delayLeave } = transition;
			const leavingEl = leavingNode.el;
			const performLeave = () => leave(leavingEl, performRemove);
			if (delayLeave) delayLeave(leavingEl, performRemove, performLeave);
			else performLeave();
		} else performRemove();
	};
	const removeFragment = (cur, end) => {
		let next;
		while (cur !== end) {
			next = hostNextSibling(cur);
			hostRemove(cur);
			cur = next;
		}
		hostRemove(end);
	};
	const unmountComponent = (instance, parentSuspense, doRemove) => {
		const { bum, scope, job, subTree, um, m, a } = instance;
		invalidateMount(m);
		invalidateMount(a);
		if (bum) invokeArrayFns(bum);
		scope.stop();
		if (job) {
			job.flags |= 8;
			unmount(subTree, instance, parentSuspense, doRemove);
		} else if (subTree) {
			subTree.transition = instance.vnode.transition;
			unmount(subTree, instance, parentSuspense, doRemove);
		}
		if (um) queuePostRenderEffect(um, parentSuspense);
		const markUnmounted = () => {
			instance.isUnmounted = true;
		};
		markUnmounted.flags = 16;
		queuePostRenderEffect(markUnmounted, parentSuspense);
	};
	const unmountChildren = (children, parentComponent, parentSuspense, doRemove = false, optimized = false, start = 0) => {
		for (let i = start; i < children.length; i++) unmount(children[i], parentComponent, parentSuspense, doRemove, optimized);
	};
	const getNextHostNode = (vnode) => {
		if (vnode.shapeFlag & 6) return getNextHostNode(vnode.component.subTree);
		if (vnode.shapeFlag & 128) return vnode.suspense.next();
		const el = hostNextSibling(vnode.anchor || vnode.el);
		const teleportEnd = el && el[TeleportEndKey];
		return teleportEnd ? hostNextSibling(teleportEnd) : el;
	};
	const render = (vnode, container, namespace) => {
		flushOnAppMount(() => {
			if (vnode == null) {
				if (container._vnode) unmount(container._vnode, null, null, true);
			} else patch(container._vnode || null, vnode, container, null, null, null, namespace);
			container._vnode = vnode;
		}, vnode && container._vnode ? void 0 : vnode && vnode.component ? vnode.component.uid : getNextUid());
	};
	const internals = {
		p: patch,
		um: unmount,
		m: move,
		r: remove,
		mt: mountComponent,
		mc: mountChildren,
		pc: patchChildren,
		pbc: patchBlockChildren,
		n: getNextHostNode,
		o: options
	};
	let hydrate;
	let hydrateNode;
	if (createHydrationFns) [hydrate, hydrateNode] = createHydrationFns(internals);
	return {
		render,
		hydrate,
		createApp: createAppAPI(render, hydrate)
	};
}
function resolveChildrenNamespace({ type, props }, currentNamespace) {
	return currentNamespace === "svg" && type === "foreignObject" || currentNamespace === "mathml" && type === "annotation-xml" && props && props.encoding && props.encoding.includes("html") ? void 0 : currentNamespace;
}
function toggleRecurse({ effect, job }, allowed) {
	if (allowed) {
		effect.flags |= 32;
		job.flags |= 4;
	} else {
		effect.flags &= -33;
		job.flags &= -5;
	}
}
function needTransition(parentSuspense, transition) {
	return (!parentSuspense || parentSuspense && !parentSuspense.pendingBranch) && transition && !transition.persisted;
}
function traverseStaticChildren(n1, n2, shallow = false) {
	const ch1 = n1.children;
	const ch2 = n2.children;
	if (isArray(ch1) && isArray(ch2)) for (let i = 0; i < ch1.length; i++) {
		const c1 = ch1[i];
		let c2 = ch2[i];
		if (c2.shapeFlag & 1 && !c2.dynamicChildren) {
			if (c2.patchFlag <= 0 || c2.patchFlag === 32) {
				c2 = ch2[i] = cloneIfMounted(ch2[i]);
				c2.el = c1.el;
			}
			if (!shallow && c2.patchFlag !== -2) traverseStaticChildren(c1, c2);
		}
		if (c2.type === Text) {
			if (c2.patchFlag === -1) c2 = ch2[i] = cloneIfMounted(c2);
			c2.el = c1.el;
		}
		if (c2.type === Comment && !c2.el) c2.el = c1.el;
	}
}
function getSequence(arr) {
	const p = arr.slice();
	const result = [0];
	let i, j, u, v, c;
	const len = arr.length;
	for (i = 0; i < len; i++) {
		const arrI = arr[i];
		if (arrI !== 0) {
			j = result[result.length - 1];
			if (arr[j] < arrI) {
				p[i] = j;
				result.push(i);
				continue;
			}
			u = 0;
			v = result.length - 1;
			while (u < v) {
				c = u + v >> 1;
				if (arr[result[c]] < arrI) u = c + 1;
				else v = c;
			}
			if (arrI < arr[result[u]]) {
				if (u > 0) p[i] = result[u - 1];
				result[u] = i;
			}
		}
	}
	u = result.length;
	v = result[u - 1];
	while (u-- > 0) {
		result[u] = v;
		v = p[v];
	}
	return result;
}
function locateUnresolvedAsyncRoot(instance) {
	const subComponent = instance.subTree.component;
	if (subComponent) {
		if (subComponent.asyncDep && !subComponent.asyncResolved) return subComponent;
		else return locateUnresolvedAsyncRoot(subComponent);
	}
}
function invalidateMount(hooks) {
	if (hooks) for (let i = 0; i < hooks.length; i++) hooks[i].flags |= 8;
}
function resolveAsyncComponentPlaceholder(anchorVnode) {
	if (anchorVnode.placeholder) return anchorVnode.placeholder;
	const instance = anchorVnode.component;
	if (instance) return resolveAsyncComponentPlaceholder(instance.subTree);
	const suspense = anchorVnode.suspense;
	if (suspense && suspense.activeBranch) return resolveAsyncComponentPlaceholder(suspense.activeBranch);
	return null;
}
var isSuspense = (type) => type.__isSuspense;
var deferredEnterKey = /* @__PURE__ */ Symbol("_deferredEnter");
function queueEffectWithSuspense(fn, suspense) {
	if (suspense && suspense.pendingBranch) {
		if (isArray(fn)) suspense.effects.push(...fn);
		else suspense.effects.push(fn);
	} else queuePostFlushCb(fn);
}
var Fragment = /* @__PURE__ */ Symbol.for("v-fgt");
var Text = /* @__PURE__ */ Symbol.for("v-txt");
var Comment = /* @__PURE__ */ Symbol.for("v-cmt");
var Static = /* @__PURE__ */ Symbol.for("v-stc");
var blockStack = [];
var currentBlock = null;
function openBlock(disableTracking = false) {
	blockStack.push(currentBlock = disableTracking ? null : []);
}
function closeBlock() {
	blockStack.pop();
	currentBlock = blockStack[blockStack.length - 1] || null;
}
var isBlockTreeEnabled = 1;
function setBlockTracking(value, inVOnce = false) {
	isBlockTreeEnabled += value;
	if (value < 0 && currentBlock && inVOnce) currentBlock.hasOnce = true;
}
function setupBlock(vnode) {
	vnode.dynamicChildren = isBlockTreeEnabled > 0 ? currentBlock || EMPTY_ARR : null;
	closeBlock();
	if (isBlockTreeEnabled > 0 && currentBlock) currentBlock.push(vnode);
	return vnode;
}
function createElementBlock(type, props, children, patchFlag, dynamicProps, shapeFlag) {
	return setupBlock(createBaseVNode(type, props, children, patchFlag, dynamicProps, shapeFlag, true));
}
function createBlock(type, props, children, patchFlag, dynamicProps) {
	return setupBlock(createVNode(type, props, children, patchFlag, dynamicProps, true));
}
function isVNode(value) {
	return value ? value.__v_isVNode === true : false;
}
function isSameVNodeType(n1, n2) {
	return n1.type === n2.type && n1.key === n2.key;
}
var normalizeKey = ({ key }) => key != null ? key : null;
var normalizeRef = ({ ref, ref_key, ref_for }) => {
	if (typeof ref === "number") ref = "" + ref;
	return ref != null ? isString(ref) || /* @__PURE__ */ isRef(ref) || isFunction(ref) ? {
		i: currentRenderingInstance,
		r: ref,
		k: ref_key,
		f: !!ref_for
	} : ref : null;
};
function createBaseVNode(type, props = null, children = null, patchFlag = 0, dynamicProps = null, shapeFlag = type === Fragment ? 0 : 1, isBlockNode = false, needFullChildrenNormalization = false) {
	const vnode = {
		__v_isVNode: true,
		__v_skip: true,
		type,
		props,
		key: props && normalizeKey(props),
		ref: props && normalizeRef(props),
		scopeId: currentScopeId,
		slotScopeIds: null,
		children,
		component: null,
		suspense: null,
		ssContent: null,
		ssFallback: null,
		dirs: null,
		transition: null,
		el: null,
		anchor: null,
		target: null,
		targetStart: null,
		targetAnchor: null,
		staticCount: 0,
		shapeFlag,
		patchFlag,
		dynamicProps,
		dynamicChildren: null,
		appContext: null,
		ctx: currentRenderingInstance
	};
	if (needFullChildrenNormalization) {
		normalizeChildren(vnode, children);
		if (shapeFlag & 128) type.normalize(vnode);
	} else if (children) vnode.shapeFlag |= isString(children) ? 8 : 16;
	if (isBlockTreeEnabled > 0 && !isBlockNode && currentBlock && (vnode.patchFlag > 0 || shapeFlag & 6) && vnode.patchFlag !== 32) currentBlock.push(vnode);
	return vnode;
}
var createVNode = _createVNode;
function _createVNode(type, props = null, children = null, patchFlag = 0, dynamicProps = null, isBlockNode = false) {
	if (!type || type === NULL_DYNAMIC_COMPONENT) type = Comment;
	if (isVNode(type)) {
		const cloned = cloneVNode(type, props, true);
		if (children) normalizeChildren(cloned, children);
		if (isBlockTreeEnabled > 0 && !isBlockNode && currentBlock) {
			if (cloned.shapeFlag & 6) currentBlock[currentBlock.indexOf(type)] = cloned;
			else currentBlock.push(cloned);
		}
		cloned.patchFlag = -2;
		return cloned;
	}
	if (isClassComponent(type)) type = type.__vccOpts;
	if (props) {
		props = guardReactiveProps(props);
		let { class: klass, style } = props;
		if (klass && !isString(klass)) props.class = normalizeClass(klass);
		if (isObject$1(style)) {
			if (/* @__PURE__ */ isProxy(style) && !isArray(style)) style = extend$1({}, style);
			props.style = normalizeStyle(style);
		}
	}
	const shapeFlag = isString(type) ? 1 : isSuspense(type) ? 128 : isTeleport(type) ? 64 : isObject$1(type) ? 4 : isFunction(type) ? 2 : 0;
	return createBaseVNode(type, props, children, patchFlag, dynamicProps, shapeFlag, isBlockNode, true);
}
function guardReactiveProps(props) {
	if (!props) return null;
	if (/* @__PURE__ */ isProxy(props)) return extend$1({}, props);
	return isInternalObject(props) ? extend$1({}, props[rawAttrsKey] || props) : props;
}
function cloneVNode(vnode, extraProps, mergeRef = false, cloneTransition = false) {
	const { props, ref, patchFlag, children, transition } = vnode;
	const mergedProps = extraProps ? mergeProps(props || {}, extraProps) : props;
	const cloned = {
		__v_isVNode: true,
		__v_skip: true,
		type: vnode.type,
		props: mergedProps,
		key: mergedProps && normalizeKey(mergedProps),
		ref: extraProps && extraProps.ref ? mergeRef && ref ? isArray(ref) ? ref.concat(normalizeRef(extraProps)) : [ref, normalizeRef(extraProps)] : normalizeRef(extraProps) : ref,
		scopeId: vnode.scopeId,
		slotScopeIds: vnode.slotScopeIds,
		children,
		target: vnode.target,
		targetStart: vnode.targetStart,
		targetAnchor: vnode.targetAnchor,
		staticCount: vnode.staticCount,
		shapeFlag: vnode.shapeFlag,
		patchFlag: extraProps && vnode.type !== Fragment ? patchFlag === -1 ? 16 : patchFlag | 16 : patchFlag,
		dynamicProps: vnode.dynamicProps,
		dynamicChildren: vnode.dynamicChildren,
		appContext: vnode.appContext,
		dirs: vnode.dirs,
		transition,
		component: vnode.component,
		suspense: vnode.suspense,
		ssContent: vnode.ssContent && cloneVNode(vnode.ssContent),
		ssFallback: vnode.ssFallback && cloneVNode(vnode.ssFallback),
		placeholder: vnode.placeholder,
		el: vnode.el,
		anchor: vnode.anchor,
		ctx: vnode.ctx,
		ce: vnode.ce,
		cacheIndex: vnode.cacheIndex
	};
	if (transition && cloneTransition) setTransitionHooks(cloned, transition.clone(cloned));
	return cloned;
}
function createTextVNode(text = " ", flag = 0) {
	return createVNode(Text, null, text, flag);
}
function createCommentVNode(text = "", asBlock = false) {
	return asBlock ? (openBlock(), createBlock(Comment, null, text)) : createVNode(Comment, null, text);
}
function normalizeVNode(child) {
	if (child == null || typeof child === "boolean") return createVNode(Comment);
	else if (isArray(child)) return createVNode(Fragment, null, child.slice());
	else if (isVNode(child)) return cloneIfMounted(child);
	else return createVNode(Text, null, String(child));
}
function cloneIfMounted(child) {
	return child.el === null && child.patchFlag !== -1 || child.memo ? child : cloneVNode(child);
}
function normalizeChildren(vnode, children) {
	let type = 0;
	const { shapeFlag } = vnode;
	if (children == null) children = null;
	else if (isArray(children)) type = 16;
	else if (typeof children === "object") {
		if (shapeFlag & 65) {
			const slot = children.default;
			if (slot) {
				slot._c && (slot._d = false);
				normalizeChildren(vnode, slot());
				slot._c && (slot._d = true);
			}
			return;
		} else {
			type = 32;
			const slotFlag = children._;
			if (!slotFlag && !isInternalObject(children)) children._ctx = currentRenderingInstance;
			else if (slotFlag === 3 && currentRenderingInstance) {
				if (currentRenderingInstance.slots._ === 1) children._ = 1;
				else {
					children._ = 2;
					vnode.patchFlag |= 1024;
				}
			}
		}
	} else if (isFunction(children)) {
		if (shapeFlag & 65) {
			normalizeChildren(vnode, { default: children });
			return;
		}
		children = {
			default: children,
			_ctx: currentRenderingInstance
		};
		type = 32;
	} else {
		children = String(children);
		if (shapeFlag & 64) {
			type = 16;
			children = [createTextVNode(children)];
		} else type = 8;
	}
	vnode.children = children;
	vnode.shapeFlag |= type;
}
function mergeProps(...args) {
	const ret = {};
	for (let i = 0; i < args.length; i++) {
		const toMerge = args[i];
		for (const key in toMerge) if (key === "class") {
			if (ret.class !== toMerge.class) ret.class = normalizeClass([ret.class, toMerge.class]);
		} else if (key === "style") ret.style = normalizeStyle([ret.style, toMerge.style]);
		else if (isOn(key)) {
			const existing = ret[key];
			const incoming = toMerge[key];
			if (incoming && existing !== incoming && !(isArray(existing) && existing.includes(incoming))) ret[key] = existing ? [].concat(existing, incoming) : incoming;
			else if (incoming == null && existing == null && !isModelListener(key)) ret[key] = incoming;
		} else if (key !== "") ret[key] = toMerge[key];
	}
	return ret;
}
function invokeVNodeHook(hook, instance, vnode, prevVNode = null) {
	callWithAsyncErrorHandling(hook, instance, 7, [vnode, prevVNode]);
}
var emptyAppContext = /* @__PURE__ */ createAppContext();
var uid = 0;
function getNextUid() {
	return uid;
}
function createComponentInstance(vnode, parent, suspense) {
	const type = vnode.type;
	const appContext = (parent ? parent.appContext : vnode.appContext) || emptyAppContext;
	const instance = {
		uid: uid++,
		vnode,
		type,
		parent,
		appContext,
		root: null,
		next: null,
		subTree: null,
		effect: null,
		update: null,
		job: null,
		scope: new EffectScope(true),
		render: null,
		proxy: null,
		exposed: null,
		exposeProxy: null,
		withProxy: null,
		provides: parent ? parent.provides : Object.create(appContext.provides),
		ids: parent ? parent.ids : [
			"",
			0,
			0
		],
		accessCache: null,
		renderCache: [],
		components: null,
		directives: null,
		propsOptions: normalizePropsOptions(type, appContext),
		emitsOptions: normalizeEmitsOptions(type, appContext),
		emit: null,
		emitted: null,
		propsDefaults: EMPTY_OBJ,
		inheritAttrs: type.inheritAttrs,
		ctx: EMPTY_OBJ,
		data: EMPTY_OBJ,
		props: EMPTY_OBJ,
		attrs: EMPTY_OBJ,
		slots: EMPTY_OBJ,
		refs: EMPTY_OBJ,
		setupState: EMPTY_OBJ,
		setupContext: null,
		suspense,
		suspenseId: suspense ? suspense.pendingId : 0,
		asyncDep: null,
		asyncResolved: false,
		isMounted: false,
		isUnmounted: false,
		isDeactivated: false,
		bc: null,
		c: null,
		bm: null,
		m: null,
		bu: null,
		u: null,
		um: null,
		bum: null,
		da: null,
		a: null,
		rtg: null,
		rtc: null,
		ec: null,
		sp: null
	};
	instance.ctx = { _: instance };
	instance.root = parent ? parent.root : instance;
	instance.emit = emit.bind(null, instance);
	if (vnode.ce) vnode.ce(instance);
	return instance;
}
var currentInstance = null;
var getCurrentInstance = () => currentInstance || currentRenderingInstance;
var internalSetCurrentInstance;
var setInSSRSetupState;
{
	const g = getGlobalThis();
	const registerGlobalSetter = (key, setter) => {
		let setters;
		if (!(setters = g[key])) setters = g[key] = [];
		setters.push(setter);
		return (v) => {
			if (setters.length > 1) setters.forEach((set) => set(v));
			else setters[0](v);
		};
	};
	internalSetCurrentInstance = registerGlobalSetter(`__VUE_INSTANCE_SETTERS__`, (v) => currentInstance = v);
	setInSSRSetupState = registerGlobalSetter(`__VUE_SSR_SETTERS__`, (v) => isInSSRComponentSetup = v);
}
var setCurrentInstance = (instance) => {
	const prev = currentInstance;
	internalSetCurrentInstance(instance);
	instance.scope.on();
	return () => {
		instance.scope.off();
		internalSetCurrentInstance(prev);
	};
};
var unsetCurrentInstance = () => {
	currentInstance && currentInstance.scope.off();
	internalSetCurrentInstance(null);
};
function isStatefulComponent(instance) {
	return instance.vnode.shapeFlag & 4;
}
var isInSSRComponentSetup = false;
function setupComponent(instance, isSSR = false, optimized = false) {
	isSSR && setInSSRSetupState(isSSR);
	const { props, children } = instance.vnode;
	const isStateful = isStatefulComponent(instance);
	initProps(instance, props, isStateful, isSSR);
	initSlots(instance, children, optimized || isSSR);
	const setupResult = isStateful ? setupStatefulComponent(instance, isSSR) : void 0;
	isSSR && setInSSRSetupState(false);
	return setupResult;
}
function setupStatefulComponent(instance, isSSR) {
	const Component = instance.type;
	instance.accessCache = /* @__PURE__ */ Object.create(null);
	instance.proxy = new Proxy(instance.ctx, PublicInstanceProxyHandlers);
	const { setup } = Component;
	if (setup) {
		pauseTracking();
		const setupContext = instance.setupContext = setup.length > 1 ? createSetupContext(instance) : null;
		const reset = setCurrentInstance(instance);
		const setupResult = callWithErrorHandling(setup, instance, 0, [instance.props, setupContext]);
		const isAsyncSetup = isPromise(setupResult);
		resetTracking();
		reset();
		if ((isAsyncSetup || instance.sp) && !isAsyncWrapper(instance)) markAsyncBoundary(instance);
		if (isAsyncSetup) {
			setupResult.then(unsetCurrentInstance, unsetCurrentInstance);
			if (isSSR) return setupResult.then((resolvedResult) => {
				setInSSRSetupState(true);
				try {
					handleSetupResult(instance, resolvedResult, isSSR);
				} finally {
					setInSSRSetupState(false);
				}
			}).catch((e) => {
				handleError(e, instance, 0, void 0, true);
				instance.ssrRender = (_, push) => push("<!---->");
			});
			else instance.asyncDep = setupResult;
		} else handleSetupResult(instance, setupResult, isSSR);
	} else finishComponentSetup(instance, isSSR);
}
function handleSetupResult(instance, setupResult, isSSR) {
	if (isFunction(setupResult)) {
		if (instance.type.__ssrInlineRender) instance.ssrRender = setupResult;
		else instance.render = setupResult;
	} else if (isObject$1(setupResult)) instance.setupState = proxyRefs(setupResult);
	finishComponentSetup(instance, isSSR);
}
function finishComponentSetup(instance, isSSR, skipOptions) {
	const Component = instance.type;
	if (!instance.render) instance.render = Component.render || NOOP;
}
var rawAttrsKey = /* @__PURE__ */ Symbol();
var attrsProxyHandlers = { get(target, key) {
	track(target, "get", "");
	return key === rawAttrsKey ? target : target[key];
} };
function createSetupContext(instance) {
	const expose = (exposed) => {
		instance.exposed = exposed || {};
	};
	return {
		attrs: new Proxy(instance.attrs, attrsProxyHandlers),
		slots: instance.slots,
		emit: instance.emit,
		expose
	};
}
function getComponentPublicInstance(instance) {
	if (instance.exposed) return instance.exposeProxy || (instance.exposeProxy = new Proxy(proxyRefs(markRaw(instance.exposed)), {
		get(target, key) {
			if (key in target) return target[key];
			else if (key in publicPropertiesMap) return publicPropertiesMap[key](instance);
		},
		has(target, key) {
			return key in target || key in publicPropertiesMap;
		}
	}));
	else return instance.proxy;
}
function getComponentName(Component, includeInferred = true) {
	return isFunction(Component) ? Component.displayName || Component.name : Component.name || includeInferred && Component.__name;
}
function isClassComponent(value) {
	return isFunction(value) && "__vccOpts" in value;
}
var computed = (getterOrOptions, debugOptions) => {
	return /* @__PURE__ */ computed$1(getterOrOptions, debugOptions, isInSSRComponentSetup);
};
function h(type, propsOrChildren, children) {
	try {
		setBlockTracking(-1);
		const l = arguments.length;
		if (l === 2) {
			if (isObject$1(propsOrChildren) && !isArray(propsOrChildren)) {
				if (isVNode(propsOrChildren)) return createVNode(type, null, [propsOrChildren]);
				return createVNode(type, propsOrChildren);
			} else return createVNode(type, null, propsOrChildren);
		} else {
			if (l > 3) children = Array.prototype.slice.call(arguments, 2);
			else if (l === 3 && isVNode(children)) children = [children];
			return createVNode(type, propsOrChildren, children);
		}
	} finally {
		setBlockTracking(1);
	}
}
var version = "3.5.45";
// node_modules/@vue/runtime-dom/dist/runtime-dom.esm-bundler.js
/**
* @vue/runtime-dom v3.5.45
* (c) 2018-present Yuxi (Evan) You and Vue contributors
* @license MIT
**/
var policy = void 0;
var tt = typeof window !== "undefined" && window.trustedTypes;
if (tt) try {
	policy = /* @__PURE__ */ tt.createPolicy("vue", { createHTML: (val) => val });
} catch (e) {}
var unsafeToTrustedHTML = policy ? (val) => policy.createHTML(val) : (val) => val;
var svgNS = "http://www.w3.org/2000/svg";
var mathmlNS = "http://www.w3.org/1998/Math/MathML";
var doc = typeof document !== "undefined" ? document : null;
var templateContainer = doc && /* @__PURE__ */ doc.createElement("template");
var nodeOps = {
	insert: (child, parent, anchor) => {
		parent.insertBefore(child, anchor || null);
	},
	remove: (child) => {
		const parent = child.parentNode;
		if (parent) parent.removeChild(child);
	},
	createElement: (tag, namespace, is, props) => {
		const el = namespace === "svg" ? doc.createElementNS(svgNS, tag) : namespace === "mathml" ? doc.createElementNS(mathmlNS, tag) : is ? doc.createElement(tag, { is }) : doc.createElement(tag);
		if (tag === "select" && props && props.multiple != null) el.setAttribute("multiple", props.multiple);
		return el;
	},
	createText: (text) => doc.createTextNode(text),
	createComment: (text) => doc.createComment(text),
	setText: (node, text) => {
		node.nodeValue = text;
	},
	setElementText: (el, text) => {
		el.textContent = text;
	},
	parentNode: (node) => node.parentNode,
	nextSibling: (node) => node.nextSibling,
	querySelector: (selector) => doc.querySelector(selector),
	setScopeId(el, id) {
		el.setAttribute(id, "");
	},
	insertStaticContent(content, parent, anchor, namespace, start, end) {
		const before = anchor ? anchor.previousSibling : parent.lastChild;
		if (start && (start === end || start.nextSibling)) while (true) {
			parent.insertBefore(start.cloneNode(true), anchor);
			if (start === end || !(start = start.nextSibling)) break;
		}
		else {
			templateContainer.innerHTML = unsafeToTrustedHTML(namespace === "svg" ? `<svg>${content}</svg>` : namespace === "mathml" ? `<math>${content}</math>` : content);
			const template = templateContainer.content;
			if (namespace === "svg" || namespace === "mathml") {
				const wrapper = template.firstChild;
				while (wrapper.firstChild) template.appendChild(wrapper.firstChild);
				template.removeChild(wrapper);
			}
			parent.insertBefore(template, anchor);
		}
		return [before ? before.nextSibling : parent.firstChild, anchor ? anchor.previousSibling : parent.lastChild];
	}
};
var vtcKey = /* @__PURE__ */ Symbol("_vtc");
function patchClass(el, value, isSVG) {
	const transitionClasses = el[vtcKey];
	if (transitionClasses) value = (value ? [value, ...transitionClasses] : [...transitionClasses]).join(" ");
	if (value == null) el.removeAttribute("class");
	else if (isSVG) el.setAttribute("class", value);
	else el.className = value;
}
var vShowOriginalDisplay = /* @__PURE__ */ Symbol("_vod");
var vShowHidden = /* @__PURE__ */ Symbol("_vsh");
var CSS_VAR_TEXT = /* @__PURE__ */ Symbol("");
var displayRE = /(?:^|;)\s*display\s*:/;
function patchStyle(el, prev, next) {
	const style = el.style;
	const isCssString = isString(next);
	let hasControlledDisplay = false;
	if (next && !isCssString) {
		if (prev) {
			if (!isString(prev)) {
				for (const key in prev) if (next[key] == null) setStyle(style, key, "");
			} else for (const prevStyle of prev.split(";")) {
				const key = prevStyle.slice(0, prevStyle.indexOf(":")).trim();
				if (next[key] == null) setStyle(style, key, "");
			}
		}
		for (const key in next) {
			if (key === "display") hasControlledDisplay = true;
			const value = next[key];
			if (value != null) {
				if (!shouldPreserveTextareaResizeStyle(el, key, !isString(prev) && prev ? prev[key] : void 0, value)) setStyle(style, key, value);
			} else setStyle(style, key, "");
		}
	} else if (isCssString) {
		if (prev !== next) {
			const cssVarText = style[CSS_VAR_TEXT];
			if (cssVarText) next += ";" + cssVarText;
			style.cssText = next;
			hasControlledDisplay = displayRE.test(next);
		}
	} else if (prev) el.removeAttribute("style");
	if (vShowOriginalDisplay in el) {
		if (!isCssString || prev !== next) el[vShowOriginalDisplay] = hasControlledDisplay ? style.display : "";
		if (el[vShowHidden]) style.display = "none";
	}
}
var importantRE = /\s*!important$/;
function setStyle(style, name, val) {
	if (isArray(val)) val.forEach((v) => setStyle(style, name, v));
	else {
		if (val == null) val = "";
		if (name.startsWith("--")) {
			if (importantRE.test(val)) style.setProperty(name, val.replace(importantRE, ""), "important");
			else style.setProperty(name, val);
		} else {
			const prefixed = autoPrefix(style, name);
			if (importantRE.test(val)) style.setProperty(hyphenate(prefixed), val.replace(importantRE, ""), "important");
			else style[prefixed] = val;
		}
	}
}
var prefixes = [
	"Webkit",
	"Moz",
	"ms"
];
var prefixCache = {};
function autoPrefix(style, rawName) {
	const cached = prefixCache[rawName];
	if (cached) return cached;
	let name = camelize(rawName);
	if (name !== "filter" && name in style) return prefixCache[rawName] = name;
	name = capitalize(name);
	for (let i = 0; i < prefixes.length; i++) {
		const prefixed = prefixes[i] + name;
		if (prefixed in style) return prefixCache[rawName] = prefixed;
	}
	return rawName;
}
function shouldPreserveTextareaResizeStyle(el, key, prev, next) {
	return el.tagName === "TEXTAREA" && (key === "width" || key === "height") && isString(next) && prev === next;
}
var xlinkNS = "http://www.w3.org/1999/xlink";
function patchAttr(el, key, value, isSVG, instance, isBoolean = isSpecialBooleanAttr(key)) {
	if (isSVG && key.startsWith("xlink:")) {
		if (value == null) el.removeAttributeNS(xlinkNS, key.slice(6, key.length));
		else el.setAttributeNS(xlinkNS, key, value);
	} else if (value == null || isBoolean && !includeBooleanAttr(value)) el.removeAttribute(key);
	else el.setAttribute(key, isBoolean ? "" : isSymbol(value) ? String(value) : value);
}
function patchDOMProp(el, key, value, parentComponent, attrName) {
	if (key === "innerHTML" || key === "textContent") {
		if (value != null) el[key] = key === "innerHTML" ? unsafeToTrustedHTML(value) : value;
		return;
	}
	const tag = el.tagName;
	if (key === "value" && tag !== "PROGRESS" && !tag.includes("-")) {
		const oldValue = tag === "OPTION" ? el.getAttribute("value") || "" : el.value;
		const newValue = value == null ? el.type === "checkbox" ? "on" : "" : String(value);
		if (oldValue !== newValue || !("_value" in el)) el.value = newValue;
		if (value == null) el.removeAttribute(key);
		el._value = value;
		return;
	}
	let needRemove = false;
	if (value === "" || value == null) {
		const type = typeof el[key];
		if (type === "boolean") value = includeBooleanAttr(value);
		else if (value == null && type === "string") {
			value = "";
			needRemove = true;
		} else if (type === "number") {
			value = 0;
			needRemove = true;
		}
	}
	try {
		el[key] = value;
	} catch (e) {}
	needRemove && el.removeAttribute(attrName || key);
}
function addEventListener(el, event, handler, options) {
	el.addEventListener(event, handler, options);
}
function removeEventListener(el, event, handler, options) {
	el.removeEventListener(event, handler, options);
}
var veiKey = /* @__PURE__ */ Symbol("_vei");
function patchEvent(el, rawName, prevValue, nextValue, instance = null) {
	const invokers = el[veiKey] || (el[veiKey] = {});
	const existingInvoker = invokers[rawName];
	if (nextValue && existingInvoker) existingInvoker.value = nextValue;
	else {
		const [name, options] = parseName(rawName);
		if (nextValue) addEventListener(el, name, invokers[rawName] = createInvoker(nextValue, instance), options);
		else if (existingInvoker) {
			removeEventListener(el, name, existingInvoker, options);
			invokers[rawName] = void 0;
		}
	}
}
var optionsModifierRE = /(Once|Passive|Capture)$/;
var optionsModifierEventRE = /^on:?(?:Once|Passive|Capture)$/;
function parseName(name) {
	let options;
	let m;
	while ((m = name.match(optionsModifierRE)) && !optionsModifierEventRE.test(name)) {
		if (!options) options = {};
		name = name.slice(0, name.length - m[1].length);
		options[m[1].toLowerCase()] = true;
	}
	return [name[2] === ":" ? name.slice(3) : hyphenate(name.slice(2)), options];
}
var cachedNow = 0;
var p = /* @__PURE__ */ Promise.resolve();
var getNow = () => cachedNow || (p.then(() => cachedNow = 0), cachedNow = Date.now());
function createInvoker(initialValue, instance) {
	const invoker = (e) => {
		if (!e._vts) e._vts = Date.now();
		else if (e._vts <= invoker.attached) return;
		const value = invoker.value;
		if (isArray(value)) {
			const originalStop = e.stopImmediatePropagation;
			e.stopImmediatePropagation = () => {
				originalStop.call(e);
				e._stopped = true;
			};
			const handlers = value.slice();
			const args = [e];
			for (let i = 0; i < handlers.length; i++) {
				if (e._stopped) break;
				const handler = handlers[i];
				if (handler) callWithAsyncErrorHandling(handler, instance, 5, args);
			}
		} else callWithAsyncErrorHandling(value, instance, 5, [e]);
	};
	invoker.value = initialValue;
	invoker.attached = getNow();
	return invoker;
}
var isNativeOn = (key) => key.charCodeAt(0) === 111 && key.charCodeAt(1) === 110 && key.charCodeAt(2) > 96 && key.charCodeAt(2) < 123;
var patchProp = (el, key, prevValue, nextValue, namespace, parentComponent) => {
	const isSVG = namespace === "svg";
	if (key === "class") patchClass(el, nextValue, isSVG);
	else if (key === "style") patchStyle(el, prevValue, nextValue);
	else if (isOn(key)) {
		if (!isModelListener(key)) patchEvent(el, key, prevValue, nextValue, parentComponent);
	} else if (key[0] === "." ? (key = key.slice(1), true) : key[0] === "^" ? (key = key.slice(1), false) : shouldSetAsProp(el, key, nextValue, isSVG)) {
		patchDOMProp(el, key, nextValue);
		if (!el.tagName.includes("-") && (key === "value" || key === "checked" || key === "selected")) patchAttr(el, key, nextValue, isSVG, parentComponent, key !== "value");
	} else if (el._isVueCE && (shouldSetAsPropForVueCE(el, key) || el._def.__asyncLoader && (/[A-Z]/.test(key) || !isString(nextValue)))) patchDOMProp(el, camelize(key), nextValue, parentComponent, key);
	else {
		if (key === "true-value") el._trueValue = nextValue;
		else if (key === "false-value") el._falseValue = nextValue;
		patchAttr(el, key, nextValue, isSVG);
	}
};
function shouldSetAsProp(el, key, value, isSVG) {
	if (isSVG) {
		if (key === "innerHTML" || key === "textContent") return true;
		if (key in el && isNativeOn(key) && isFunction(value)) return true;
		return false;
	}
	if (key === "spellcheck" || key === "draggable" || key === "translate" || key === "autocorrect") return false;
	if (key === "sandbox" && el.tagName === "IFRAME") return false;
	if (key === "form") return false;
	if (key === "list" && el.tagName === "INPUT") return false;
	if (key === "type" && el.tagName === "TEXTAREA") return false;
	if (key === "width" || key === "height") {
		const tag = el.tagName;
		if (tag === "IMG" || tag === "VIDEO" || tag === "CANVAS" || tag === "SOURCE") return false;
	}
	if (isNativeOn(key) && isString(value)) return false;
	return key in el;
}
function shouldSetAsPropForVueCE(el, key) {
	const props = el._def.props;
	if (!props) return false;
	const camelKey = camelize(key);
	return Array.isArray(props) ? props.some((prop) => camelize(prop) === camelKey) : Object.keys(props).some((prop) => camelize(prop) === camelKey);
}
var getModelAssigner = (vnode) => {
	const fn = vnode.props["onUpdate:modelValue"] || false;
	return isArray(fn) ? (value) => invokeArrayFns(fn, value) : fn;
};
function onCompositionStart(e) {
	e.target.composing = true;
}
function onCompositionEnd(e) {
	const target = e.target;
	if (target.composing) {
		target.composing = false;
		target.dispatchEvent(new Event("input"));
	}
}
var assignKey = /* @__PURE__ */ Symbol("_assign");
var initialValueKey = /* @__PURE__ */ Symbol("_initialValue");
function castValue(value, trim, number) {
	if (trim) value = value.trim();
	if (number) value = looseToNumber(value);
	return value;
}
var vModelText = {
	created(el, { modifiers: { lazy, trim, number } }, vnode) {
		if (el.parentNode) {
			if (el.type === "text") el[initialValueKey] = el.defaultValue.replace(/[\r\n]/g, "");
			else if (el.type === "textarea") el[initialValueKey] = el.defaultValue.replace(/\r\n?/g, "\n");
		}
		el[assignKey] = getModelAssigner(vnode);
		const castToNumber = number || vnode.props && vnode.props.type === "number";
		addEventListener(el, lazy ? "change" : "input", (e) => {
			if (e.target.composing) return;
			el[assignKey](castValue(el.value, trim, castToNumber));
		});
		if (trim || castToNumber) addEventListener(el, "change", () => {
			el.value = castValue(el.value, trim, castToNumber);
		});
		if (!lazy) {
			addEventListener(el, "compositionstart", onCompositionStart);
			addEventListener(el, "compositionend", onCompositionEnd);
			addEventListener(el, "change", onCompositionEnd);
		}
	},
	mounted(el, { value, modifiers: { trim, number } }) {
		const newValue = value == null ? "" : value;
		const initialValue = el[initialValueKey];
		delete el[initialValueKey];
		if (initialValue !== void 0 && (el.type === "text" || el.type === "textarea") && el.value !== initialValue) el[assignKey](castValue(el.value, trim, number));
		else el.value = newValue;
	},
	beforeUpdate(el, { value, oldValue, modifiers: { lazy, trim, number } }, vnode) {
		el[assignKey] = getModelAssigner(vnode);
		if (el.composing) return;
		const elValue = (number || el.type === "number") && !/^0\d/.test(el.value) ? looseToNumber(el.value) : el.value;
		const newValue = value == null ? "" : value;
		if (elValue === newValue) return;
		const rootNode = el.getRootNode();
		if ((rootNode instanceof Document || rootNode instanceof ShadowRoot) && rootNode.activeElement === el && el.type !== "range") {
			if (lazy && value === oldValue) return;
			if (trim && el.value.trim() === newValue) return;
		}
		el.value = newValue;
	}
};
var vModelCheckbox = {
	deep: true,
	created(el, _, vnode) {
		el[assignKey] = getModelAssigner(vnode);
		addEventListener(el, "change", () => {
			const modelValue = el._modelValue;
			const elementValue = getValue(el);
			const checked = el.checked;
			const assign = el[assignKey];
			if (isArray(modelValue)) {
				const index = looseIndexOf(modelValue, elementValue);
				const found = index !== -1;
				if (checked && !found) assign(modelValue.concat(elementValue));
				else if (!checked && found) {
					const filtered = [...modelValue];
					filtered.splice(index, 1);
					assign(filtered);
				}
			} else if (isSet(modelValue)) {
				const cloned = new Set(modelValue);
				if (checked) cloned.add(elementValue);
				else cloned.delete(elementValue);
				assign(cloned);
			} else assign(getCheckboxValue(el, checked));
		});
	},
	mounted: setChecked,
	beforeUpdate(el, binding, vnode) {
		el[assignKey] = getModelAssigner(vnode);
		setChecked(el, binding, vnode);
	}
};
function setChecked(el, { value, oldValue }, vnode) {
	el._modelValue = value;
	let checked;
	if (isArray(value)) checked = looseIndexOf(value, vnode.props.value) > -1;
	else if (isSet(value)) checked = value.has(vnode.props.value);
	else {
		if (value === oldValue) return;
		checked = looseEqual(value, getCheckboxValue(el, true));
	}
	if (el.checked !== checked) el.checked = checked;
}
var vModelSelect = {
	deep: true,
	created(el, { value, modifiers: { number } }, vnode) {
		el._modelValue = value;
		addEventListener(el, "change", () => {
			const selectedVal = Array.prototype.filter.call(el.options, (o) => o.selected).map((o) => number ? looseToNumber(getValue(o)) : getValue(o));
			const multiple = el.multiple;
			const assignedValue = multiple ? isSet(el._modelValue) ? new Set(selectedVal) : selectedVal : selectedVal[0];
			const pending = el._pendingValue = [multiple, multiple ? isArray(assignedValue) ? selectedVal.slice() : selectedVal : assignedValue];
			try {
				el[assignKey](assignedValue);
			} finally {
				nextTick(() => {
					if (el._pendingValue === pending) el._pendingValue = void 0;
				});
			}
		});
		el[assignKey] = getModelAssigner(vnode);
	},
	mounted(el, { value, modifiers: { number } }) {
		setSelected(el, value, number);
	},
	beforeUpdate(el, { value }, vnode) {
		el._modelValue = value;
		el[assignKey] = getModelAssigner(vnode);
	},
	updated(el, { value, modifiers: { number } }) {
		const pending = el._pendingValue;
		el._pendingValue = void 0;
		if (!pending || pending[0] !== el.multiple || !isSameSelectValue(value, pending[1], pending[0])) setSelected(el, value, number);
	}
};
function isSameSelectValue(value, assignedValue, multiple) {
	if (!multiple) return looseEqual(value, assignedValue);
	if (isArray(value)) return looseEqual(value, assignedValue);
	if (isSet(value)) {
		if (value.size !== assignedValue.length) return false;
		for (const item of assignedValue) if (!value.has(item)) return false;
		return true;
	}
	return false;
}
function setSelected(el, value, number = false) {
	const isMultiple = el.multiple;
	const isArrayValue = isArray(value);
	if (isMultiple && !isArrayValue && !isSet(value)) return;
	for (let i = 0, l = el.options.length; i < l; i++) {
		const option = el.options[i];
		const optionValue = getValue(option);
		if (isMultiple) {
			if (isArrayValue) {
				const optionType = typeof optionValue;
				if (optionType === "string" || optionType === "number") option.selected = value.some((v) => String(v) === String(optionValue));
				else option.selected = looseIndexOf(value, optionValue) > -1;
			} else option.selected = value.has(optionValue) || number && typeof optionValue === "string" && value.has(looseToNumber(optionValue));
		} else if (looseEqual(getValue(option), value)) {
			if (el.selectedIndex !== i) el.selectedIndex = i;
			return;
		}
	}
	if (!isMultiple && el.selectedIndex !== -1) el.selectedIndex = -1;
}
function getValue(el) {
	return "_value" in el ? el._value : el.value;
}
function getCheckboxValue(el, checked) {
	const key = checked ? "_trueValue" : "_falseValue";
	return key in el ? el[key] : checked;
}
var systemModifiers = [
	"ctrl",
	"shift",
	"alt",
	"meta"
];
var modifierGuards = {
	stop: (e) => e.stopPropagation(),
	prevent: (e) => e.preventDefault(),
	self: (e) => e.target !== e.currentTarget,
	ctrl: (e) => !e.ctrlKey,
	shift: (e) => !e.shiftKey,
	alt: (e) => !e.altKey,
	meta: (e) => !e.metaKey,
	left: (e) => "button" in e && e.button !== 0,
	middle: (e) => "button" in e && e.button !== 1,
	right: (e) => "button" in e && e.button !== 2,
	exact: (e, modifiers) => systemModifiers.some((m) => e[`${m}Key`] && !modifiers.includes(m))
};
var withModifiers = (fn, modifiers) => {
	if (!fn) return fn;
	const cache = fn._withMods || (fn._withMods = {});
	const cacheKey = modifiers.join(".");
	return cache[cacheKey] || (cache[cacheKey] = ((event, ...args) => {
		for (let i = 0; i < modifiers.length; i++) {
			const guard = modifierGuards[modifiers[i]];
			if (guard && guard(event, modifiers)) return;
		}
		return fn(event, ...args);
	}));
};
var keyNames = {
	esc: "escape",
	space: " ",
	up: "arrow-up",
	left: "arrow-left",
	right: "arrow-right",
	down: "arrow-down",
	delete: "backspace"
};
var withKeys = (fn, modifiers) => {
	const cache = fn._withKeys || (fn._withKeys = {});
	const cacheKey = modifiers.join(".");
	return cache[cacheKey] || (cache[cacheKey] = ((event) => {
		if (!("key" in event)) return;
		const eventKey = hyphenate(event.key);
		if (modifiers.some((k) => k === eventKey || keyNames[k] === eventKey)) return fn(event);
	}));
};
var rendererOptions = /* @__PURE__ */ extend$1({ patchProp }, nodeOps);
var renderer;
function ensureRenderer() {
	return renderer || (renderer = createRenderer(rendererOptions));
}
var createApp = ((...args) => {
	const app = ensureRenderer().createApp(...args);
	const { mount } = app;
	app.mount = (containerOrSelector) => {
		const container = normalizeContainer(containerOrSelector);
		if (!container) return;
		const component = app._component;
		if (!isFunction(component) && !component.render && !component.template) component.template = container.innerHTML;
		if (container.nodeType === 1) container.textContent = "";
		const proxy = mount(container, false, resolveRootNamespace(container));
		if (container instanceof Element) {
			container.removeAttribute("v-cloak");
			container.setAttribute("data-v-app", "");
		}
		return proxy;
	};
	return app;
});
function resolveRootNamespace(container) {
	if (container instanceof SVGElement) return "svg";
	if (typeof MathMLElement === "function" && container instanceof MathMLElement) return "mathml";
}
function normalizeContainer(container) {
	if (isString(container)) return document.querySelector(container);
	return container;
}
// src/graph.ts
/** Changes of the open workflow, on the host's graph objects but without its `app`. */
var MODEL = "EchoTorrent_LoadModel";
var IDENTITY = "EchoTorrent_LoadIdentity";
var GAP = 60;
/**
* Has the workflow load an identity. A node that does so already, selected or behind the model, takes the new one;
* else a new node is put behind the selected model, or the only one, and between it and all that used it.
*/
function putIdentity({ graph, selected, centre }, create, value) {
	const model = selected.find(is(MODEL)) ?? only(all(graph).filter(is(MODEL)));
	const users = model ? usersOf(graph, model) : [];
	const known = selected.find(is(IDENTITY)) ?? users.find(({ node }) => is(IDENTITY)(node))?.node;
	if (known) {
		choose(known, value);
		graph.setDirtyCanvas?.(true, true);
		return {
			done: true,
			text: `Node '${nameOf(known)}' loads this identity now.`,
			node: known
		};
	}
	const node = create(IDENTITY);
	if (!node || !graph.add) return {
		done: false,
		text: "ComfyUI does not know the node Load Identity: restart it."
	};
	graph.beforeChange?.();
	node.pos = model ? below(model, node, graph) : centre;
	graph.add(node);
	choose(node, value);
	if (model) insert(model, node, users);
	graph.afterChange?.();
	graph.setDirtyCanvas?.(true, true);
	return {
		done: true,
		text: said(node, model, users.length),
		node
	};
}
function said(node, model, users) {
	const name = `'${nameOf(node)}'`;
	if (!model) return `${name} is in the workflow. Connect its model input.`;
	if (!users) return `${name} is in the workflow, behind '${nameOf(model)}'. Connect its output.`;
	return `${name} is in the workflow, between '${nameOf(model)}' and ${users === 1 ? "the node that uses" : "the nodes that use"} it.`;
}
function insert(model, node, users) {
	const input = node.inputs?.findIndex(({ name }) => name === "model") ?? -1;
	model.connect?.(0, node, Math.max(0, input));
	for (const user of users) node.connect?.(0, user.node, user.input);
}
function usersOf(graph, model) {
	return (model.outputs?.[0]?.links ?? []).flatMap((id) => {
		const link = graph.links instanceof Map ? graph.links.get(id) : graph.links?.[id];
		const node = link && graph.getNodeById?.(link.target_id);
		return node ? {
			node,
			input: link.target_slot
		} : [];
	});
}
function choose(node, value) {
	const widget = node.widgets?.find(({ name }) => name === "identity") ?? node.widgets?.[0];
	if (!widget) return;
	const values = widget.options?.values;
	if (Array.isArray(values) && !values.includes(value)) values.push(value);
	widget.value = value;
	widget.callback?.(value);
}
/** The first place below a node where another one covers none. */
function below(model, node, graph) {
	const [x, start] = [leftOf$1(model), topOf(model) + model.size[1] + GAP];
	const inOrder = all(graph).filter((other) => leftOf$1(other) < x + node.size[0] && leftOf$1(other) + other.size[0] > x).filter((other) => topOf(other) + other.size[1] >= start).sort((a, b) => topOf(a) - topOf(b));
	let y = start;
	for (const other of inOrder) if (topOf(other) < y + node.size[1] + GAP) y = Math.max(y, topOf(other) + other.size[1] + GAP);
	return [x, y];
}
var leftOf$1 = ({ pos }) => pos?.[0] ?? 0;
var topOf = ({ pos }) => pos?.[1] ?? 0;
var is = (type) => (node) => (node.comfyClass ?? node.type) === type;
var nameOf = (node) => node.title ?? String(node.id);
var all = (graph) => graph.nodes ?? graph._nodes ?? [];
var only = (nodes) => nodes.length === 1 ? nodes[0] : void 0;
// src/training/post.ts
/** POST of a form to an address, with word of how much is sent. Rejects if the server does not answer. */
function post(address, form, { progress, signal }) {
	return new Promise((resolve, reject) => {
		const request = new XMLHttpRequest();
		const broken = (why) => () => reject(new Error(why));
		request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
		request.onload = () => resolve(new Response(request.responseText, { status: request.status }));
		request.onerror = broken("the connection broke");
		request.onabort = broken("it was broken off");
		signal.addEventListener("abort", () => request.abort(), { once: true });
		request.open("POST", address);
		request.send(form);
	});
}
// src/adapter.ts
/** The only file that touches ComfyUI's `app` and `api`. Everything else sees the `Host` below. */
var SAVE_NODE = "EchoTorrent_SaveVideo";
var RESUME = ["resume", "run_id"];
var REMEMBERED = "echotorrent_run";
var PLAYER = {
	width: 300,
	height: 480,
	least: 260
};
var host = {
	fetch: (path, options) => api.fetchApi(path, options),
	url: (path) => api.apiURL(path),
	upload: (path, form, sending) => post(api.apiURL(path), form, sending),
	onAnnouncement(listen) {
		api.addEventListener("echotorrent.event", (event) => listen(event.detail));
	},
	onConnection(listen) {
		api.addEventListener("reconnecting", () => listen(false));
		api.addEventListener("reconnected", () => listen(true));
	},
	setting: (id) => app.extensionManager.setting.get(id),
	toast(severity, text) {
		app.extensionManager.toast.add({
			severity,
			summary: "EchoTorrent",
			detail: text,
			life: 5e3
		});
	},
	resumeWith(run) {
		const node = resumable();
		const widget = node && resumeWidget(node);
		if (!node || !widget) return {
			done: false,
			text: "Select the Save Video node that should go on with this run."
		};
		widget.value = run;
		widget.callback?.(run);
		app.graph.setDirtyCanvas?.(true, true);
		return {
			done: true,
			text: `Node '${node.title ?? node.id}' goes on with this run when the graph is queued.`
		};
	},
	useIdentity(value) {
		const done = putIdentity({
			graph: app.canvas?.graph ?? app.graph,
			selected: Object.values(app.canvas?.selected_nodes ?? {}),
			centre: centre()
		}, (type) => globalThis.LiteGraph?.createNode(type), value);
		if (done.node) app.canvas?.selectNode?.(done.node);
		return done;
	},
	addSidebarTab(id, title, tooltip, root) {
		app.extensionManager.registerSidebarTab({
			id,
			title,
			label: title.replace(/(?<=[a-z])(?=[A-Z])/g, "​"),
			tooltip,
			icon: "pi pi-video",
			type: "custom",
			iconBadge: () => null,
			render: (container) => container.replaceChildren(root)
		});
		return (badge) => {
			const tab = app.extensionManager.getSidebarTabs?.().find((found) => found.id === id);
			if (tab) tab.iconBadge = () => badge;
		};
	}
};
function register({ settings, commands, setup, mount }) {
	app.registerExtension({
		name: "EchoTorrent",
		settings,
		commands,
		setup,
		nodeCreated(node) {
			if (node.comfyClass === SAVE_NODE) addPlayer(node, mount);
		}
	});
}
/** Registers no more than a warning: the pack lies in two folders, and only one of them may act. */
function registerDuplicate(first, second) {
	const text = `EchoTorrent is installed twice, from ${first} and ${second}. Delete one of the two folders.`;
	app.registerExtension({
		name: `EchoTorrent (${second})`,
		setup: () => host.toast("warn", text)
	});
}
function addPlayer(node, mount) {
	if (!node.addDOMWidget) return;
	const element = document.createElement("div");
	const widget = node.addDOMWidget("player", "ECHOTORRENT_PLAYER", element, {
		serialize: false,
		hideOnZoom: false,
		getMinHeight: () => PLAYER.least
	});
	widget.serialize = false;
	node.hideOutputImages = true;
	node.onDrawBackground = () => void 0;
	const [width, height] = node.size;
	node.setSize?.([Math.max(width, PLAYER.width), Math.max(height, PLAYER.height)]);
	let loaded = () => void 0;
	let made = (_run) => void 0;
	const unmount = mount(element, {
		id: () => String(node.id),
		workflow: () => String((app.rootGraph ?? app.graph)?.id ?? ""),
		remembered: () => String(node.properties?.[REMEMBERED] ?? ""),
		remember: (run) => {
			if (node.properties) node.properties[REMEMBERED] = run;
		},
		onLoaded: (listen) => loaded = listen,
		onMade: (listen) => made = listen
	});
	chain(node, "onConfigure", () => loaded());
	chain(node, "onExecuted", ({ echotorrent_run: runs }) => {
		if (runs?.[0]) made(runs[0]);
	});
	chain(node, "onRemoved", unmount);
}
/** Calls `after` at the end of a node's hook, whoever else uses that hook. */
function chain(node, hook, after) {
	const before = node[hook];
	node[hook] = function(...details) {
		before?.apply(this, details);
		after(...details);
	};
}
/** The middle of what is seen of the graph, in its own coordinates. */
function centre() {
	const { ds, canvas } = app.canvas ?? {};
	if (!ds || !canvas) return [0, 0];
	const at = (axis, size) => size / 2 / ds.scale - (ds.offset[axis] ?? 0);
	return [at(0, canvas.clientWidth), at(1, canvas.clientHeight)];
}
function resumable() {
	const chosen = Object.values(app.canvas?.selected_nodes ?? {}).find(resumeWidget);
	if (chosen) return chosen;
	const graph = app.canvas?.graph ?? app.graph;
	const all = (graph.nodes ?? graph._nodes ?? []).filter(resumeWidget);
	return all.length === 1 ? all[0] : void 0;
}
function resumeWidget(node) {
	if (!node.comfyClass?.startsWith("EchoTorrent_")) return void 0;
	return node.widgets?.find((widget) => RESUME.includes(widget.name));
}
// src/http.ts
/** How the pack's routes are asked. Everything here throws Refused or Away. */
/** The server answered, but not with what was asked for. */
var Refused = class extends Error {
	status;
	constructor(status, message) {
		super(message);
		this.status = status;
	}
};
/** The server did not answer at all. */
var Away = class extends Error {};
async function ask(http, path, options) {
	return accepted(await alive(http.fetch(path, {
		cache: "no-store",
		...options
	})), path);
}
async function json(http, path, options) {
	return alive((await ask(http, path, options)).json());
}
/** The response, if it is what was asked for. */
async function accepted(response, path) {
	if (response.ok) return response;
	const body = await response.json().catch(() => null);
	const said = typeof body === "object" && body !== null && "error" in body ? String(body.error) : "";
	throw new Refused(response.status, said || `the server answered ${response.status} to ${path}`);
}
async function alive(answer) {
	try {
		return await answer;
	} catch (error) {
		throw new Away(error instanceof Error ? error.message : String(error));
	}
}
/** What to tell the user of anything that was thrown. */
var messageOf = (error) => error instanceof Error ? error.message : String(error);
// src/runs/client.ts
/** The routes of runs. Every method throws Refused or Away. */
var Client = class {
	http;
	constructor(http) {
		this.http = http;
	}
	async runs() {
		return (await json(this.http, "/echotorrent/runs")).runs;
	}
	async run(id) {
		return await json(this.http, at$1(id));
	}
	async events(id, after) {
		return (await json(this.http, `${at$1(id, "events")}?after=${after}`)).events;
	}
	/** Stops a run within one denoising step; what is made stays. */
	async stop(id) {
		await ask(this.http, at$1(id, "stop"), { method: "POST" });
	}
	/** Bytes of `init`, `segments/<chunk>` or `closing`. */
	async media(id, part) {
		return alive((await ask(this.http, at$1(id, part))).arrayBuffer());
	}
	/**
	* The run as one mp4, which of a running one begins with chunk `first` and grows. Each call gives another address:
	* browsers keep what they have.
	*/
	videoUrl(id, first) {
		return this.http.url(`${at$1(id, "video")}?from=${first}&at=${Date.now()}`);
	}
};
var at$1 = (id, part = "") => `/echotorrent/runs/${encodeURIComponent(id)}${part && `/${part}`}`;
// src/runs/types.ts
var isOver = (snapshot) => snapshot.state !== "running";
// src/runs/log.ts
/** Number of the last event; 0 before the first. */
var last = (events) => events.at(-1)?.n ?? 0;
/** The events with a batch added; known ones are passed over. Null if something between them is missing. */
function join(events, batch) {
	const joined = [...events];
	for (const event of batch) {
		if (event.n <= last(joined)) continue;
		if (event.n !== last(joined) + 1) return null;
		joined.push(event);
	}
	return joined;
}
/**
* Whether the known events still hold. A run that is resumed may first drop events beyond its last saved state and
* then give their numbers to others, so a run that was over and has changed since must be read again.
*/
function continues(run, snapshot) {
	if (isOver(run.snapshot)) return snapshot.state === run.snapshot.state && snapshot.n === last(run.events);
	return snapshot.n >= last(run.events);
}
/** Whether an announcement says nothing new. */
var isKnown = (run, n) => !isOver(run.snapshot) && n <= last(run.events);
// src/runs/store.ts
var POLL = 2e3;
/**
* The runs as the server knows them. Announcements are only a reason to look: a snapshot is read, then the events
* after the known ones, and all of them again when one is missing. Polling covers announcements that never came.
*/
var Store = class {
	client;
	/** Ids, newest first. */
	order = /* @__PURE__ */ shallowRef([]);
	runs = /* @__PURE__ */ shallowReactive(/* @__PURE__ */ new Map());
	online = /* @__PURE__ */ shallowRef(true);
	loaded = /* @__PURE__ */ shallowRef(false);
	/** What the server objected to when the list was asked for; empty if nothing. */
	refused = /* @__PURE__ */ shallowRef("");
	running = computed(() => this.order.value.filter((id) => this.isRunning(id)));
	opened = /* @__PURE__ */ new Set();
	trusted = /* @__PURE__ */ new Set();
	syncing = /* @__PURE__ */ new Map();
	refreshing = null;
	timer;
	constructor(client) {
		this.client = client;
	}
	/** Reads the list. Also the thing to do when the panel opens or the socket is back. */
	refresh() {
		this.refreshing ??= this.readList().finally(() => {
			this.refreshing = null;
			this.schedule();
		});
		return this.refreshing;
	}
	/** From now on the events of this run are kept up to date. */
	open(id) {
		if (this.opened.has(id)) return;
		this.opened.add(id);
		this.sync(id);
	}
	announced({ run: id, n }) {
		const run = this.runs.get(id);
		if (!run) this.refresh();
		else if (!isKnown(run, n)) this.sync(id);
	}
	/** The socket broke: whatever is known may have changed behind our back. */
	lost() {
		this.online.value = false;
		this.trusted.clear();
		this.schedule();
	}
	dispose() {
		clearTimeout(this.timer);
	}
	isRunning(id) {
		const run = this.runs.get(id);
		return run !== void 0 && !isOver(run.snapshot);
	}
	async readList() {
		try {
			const found = await this.client.runs();
			const ids = new Set(found.map((snapshot) => snapshot.id));
			for (const id of this.runs.keys()) if (!ids.has(id)) this.forget(id);
			for (const snapshot of found) this.meet(snapshot);
			this.order.value = [...ids];
			this.refused.value = "";
			this.online.value = this.loaded.value = true;
			await Promise.all(this.watched().map((id) => this.sync(id)));
		} catch (error) {
			if (error instanceof Away) this.lost();
			else this.refused.value = String(error instanceof Error ? error.message : error);
		}
	}
	/** A snapshot from the list; runs whose events are kept get theirs together with the events, in `sync`. */
	meet(snapshot) {
		const run = this.runs.get(snapshot.id);
		if (!run || !run.events.length) this.runs.set(snapshot.id, {
			snapshot,
			events: []
		});
		else if (!continues(run, snapshot)) this.trusted.delete(snapshot.id);
		if (!isOver(snapshot)) this.opened.add(snapshot.id);
	}
	watched() {
		return [...this.opened].filter((id) => this.runs.has(id));
	}
	async sync(id) {
		if (this.syncing.has(id)) {
			this.syncing.set(id, true);
			return;
		}
		try {
			do {
				this.syncing.set(id, false);
				await this.readRun(id);
			} while (this.syncing.get(id));
		} catch (error) {
			if (error instanceof Away) this.lost();
			else if (error instanceof Refused && error.status === 404) this.forget(id);
			else console.error("EchoTorrent:", error);
		} finally {
			this.syncing.delete(id);
			this.schedule();
		}
	}
	async readRun(id) {
		const snapshot = await this.client.run(id);
		const old = this.runs.get(id);
		const known = old && this.trusted.has(id) && continues(old, snapshot) ? old.events : [];
		const events = join(known, await this.client.events(id, last(known))) ?? join([], await this.client.events(id, 0));
		if (!events) throw new Error(`the events of run ${id} have a hole`);
		this.runs.set(id, {
			snapshot,
			events
		});
		this.trusted.add(id);
		this.online.value = true;
	}
	forget(id) {
		this.runs.delete(id);
		this.opened.delete(id);
		this.trusted.delete(id);
		this.order.value = this.order.value.filter((other) => other !== id);
	}
	schedule() {
		clearTimeout(this.timer);
		if (this.online.value && !this.running.value.length) return;
		this.timer = setTimeout(() => {
			if (this.online.value) for (const id of this.running.value) this.sync(id);
			else this.refresh();
		}, POLL);
	}
};
// src/style.css?inline
var style_default = ".et-root {\n  --et-fg: var(--input-text, #ddd);\n  --et-strong: var(--fg-color, #fff);\n  --et-dim: var(--descrip-text, #999);\n  --et-surface: color-mix(in srgb, var(--et-fg) 8%, transparent);\n  --et-line: var(--border-color, #4e4e4e);\n  --et-accent: var(--p-primary-color, #3b82f6);\n  --et-error: var(--error-text, #ff4444);\n  box-sizing: border-box;\n  height: 100%;\n  color: var(--et-fg);\n  font: 13px/1.45 Inter, system-ui, sans-serif;\n}\n.et-root *,\n.et-root *::before {\n  box-sizing: border-box;\n}\n:where(.et-root) :where(p, h2, h3, ul, ol) {\n  margin: 0;\n  padding: 0;\n  list-style: none;\n}\n.et-root section {\n  display: grid;\n  gap: 6px;\n}\n.et-panel {\n  height: 100%;\n  overflow: hidden auto;\n  padding: 12px;\n  display: flex;\n  flex-direction: column;\n  gap: 12px;\n}\n.et-panel > * {\n  flex: none;\n}\n.et-head {\n  display: flex;\n  align-items: baseline;\n  justify-content: space-between;\n}\n.et-head h2 {\n  color: var(--et-strong);\n  font-size: 15px;\n  font-weight: 600;\n}\n.et-root h3 {\n  color: var(--et-dim);\n  font-size: 12px;\n  font-weight: 500;\n}\n.et-status::before {\n  content: \"\";\n  display: inline-block;\n  width: 7px;\n  height: 7px;\n  margin-right: 6px;\n  border-radius: 50%;\n  background: #4caf50;\n}\n.et-status[data-online=\"false\"]::before {\n  background: var(--et-error);\n}\n.et-status,\n.et-hint {\n  color: var(--et-dim);\n}\n.et-hint {\n  display: grid;\n  gap: 6px;\n  padding: 28px 20px;\n  border: 1px dashed var(--et-line);\n  border-radius: 8px;\n  text-align: center;\n}\n.et-hint strong {\n  color: var(--et-strong);\n  font-weight: 600;\n}\n\n.et-player {\n  display: grid;\n  gap: 8px;\n}\n.et-screen {\n  position: relative;\n  width: 100%;\n  aspect-ratio: var(--et-shape);\n  max-height: 60vh;\n  border-radius: 8px;\n  overflow: hidden;\n  background: #000;\n}\n.et-screen video {\n  display: block;\n  width: 100%;\n  height: 100%;\n  object-fit: contain;\n}\n.et-screen video.et-empty {\n  visibility: hidden;\n}\n.et-waiting {\n  position: absolute;\n  inset: 0;\n  display: grid;\n  place-content: center;\n  padding: 16px;\n  text-align: center;\n  color: #aaa;\n}\n.et-sound,\n.et-live {\n  position: absolute;\n  top: 8px;\n}\n.et-sound {\n  left: 8px;\n}\n.et-live {\n  right: 8px;\n}\n.et-live::before {\n  content: \"\";\n  display: inline-block;\n  width: 7px;\n  height: 7px;\n  margin-right: 6px;\n  border-radius: 50%;\n  background: #888;\n}\n.et-live.et-on::before {\n  background: #e53935;\n}\n\n.et-button {\n  padding: 5px 10px;\n  border: 1px solid var(--et-line);\n  border-radius: 6px;\n  background: var(--et-surface);\n  color: var(--et-fg);\n  font: inherit;\n  cursor: pointer;\n}\n.et-button:hover:not(:disabled) {\n  border-color: var(--et-accent);\n}\n.et-root button:focus-visible {\n  outline: 2px solid var(--et-accent);\n  outline-offset: 1px;\n}\n.et-button:disabled {\n  opacity: 0.6;\n  cursor: default;\n}\n.et-screen .et-button {\n  border-color: transparent;\n  background: rgb(0 0 0 / 65%);\n  color: #fff;\n}\n\n.et-about {\n  display: grid;\n  grid-template-columns: minmax(0, 1fr);\n  gap: 4px;\n}\n.et-line {\n  display: flex;\n  flex-wrap: wrap;\n  justify-content: space-between;\n  gap: 0 8px;\n}\n.et-line:has(.et-name) {\n  flex-wrap: nowrap;\n}\n.et-name {\n  overflow: hidden;\n  color: var(--et-strong);\n  text-overflow: ellipsis;\n  white-space: nowrap;\n}\n.et-progress,\n.et-when,\n.et-length,\n.et-state,\n.et-number {\n  color: var(--et-dim);\n  font-variant-numeric: tabular-nums;\n  white-space: nowrap;\n}\n.et-bad {\n  color: var(--et-error);\n}\n\n.et-card {\n  display: grid;\n  gap: 4px;\n  justify-items: start;\n  padding: 10px 12px;\n  border: 1px solid var(--et-line);\n  border-left: 3px solid var(--et-error);\n  border-radius: 6px;\n  background: var(--et-surface);\n  overflow-wrap: anywhere;\n}\n.et-card strong {\n  color: var(--et-strong);\n  font-weight: 600;\n}\n.et-card .et-button {\n  margin-top: 4px;\n}\n.et-card.et-mild {\n  border-left-color: #f0a020;\n}\n.et-resume {\n  display: grid;\n  gap: 6px;\n  justify-items: start;\n}\n.et-resume code {\n  padding: 2px 6px;\n  border-radius: 4px;\n  background: var(--et-surface);\n  user-select: all;\n}\n\n.et-run {\n  display: grid;\n  grid-template-columns: 1fr auto;\n  gap: 0 8px;\n  width: 100%;\n  padding: 6px 8px;\n  border: 1px solid transparent;\n  border-radius: 6px;\n  background: none;\n  color: inherit;\n  font: inherit;\n  text-align: left;\n  cursor: pointer;\n}\n.et-run:hover {\n  background: var(--et-surface);\n}\n.et-run[aria-pressed=\"true\"] {\n  border-color: var(--et-line);\n  background: var(--et-surface);\n}\n.et-run[data-state=\"failed\"] .et-state,\n.et-run[data-state=\"interrupted\"] .et-state {\n  color: var(--et-error);\n}\n.et-run[data-state=\"running\"] .et-state {\n  color: var(--et-strong);\n}\n.et-when,\n.et-length {\n  justify-self: end;\n}\n.et-runs {\n  max-height: 230px;\n  overflow-y: auto;\n}\n.et-run .et-bar {\n  margin-top: 5px;\n}\n.et-bar {\n  grid-column: 1 / -1;\n  height: 3px;\n  border-radius: 2px;\n  background: var(--et-line);\n  overflow: hidden;\n}\n.et-bar span {\n  display: block;\n  height: 100%;\n  border-radius: inherit;\n  background: var(--et-accent);\n  transition: width 0.3s;\n}\n.et-bar.et-unknown span {\n  animation: et-pulse 1.6s ease-in-out infinite alternate;\n}\n@keyframes et-pulse {\n  from {\n    opacity: 0.25;\n  }\n}\n.et-events {\n  max-height: 220px;\n  overflow-y: auto;\n  font-size: 12px;\n}\n.et-events li {\n  display: grid;\n  grid-template-columns: 32px 1fr;\n  padding: 2px 0;\n  overflow-wrap: anywhere;\n}\n.et-node {\n  display: flex;\n  flex-direction: column;\n  gap: 4px;\n}\n/* In the classic renderer the node gives a height, which may be too little for the width; in Nodes 2.0 it asks for one. */\n.et-node .et-player {\n  flex: 0 1 auto;\n  width: 100%;\n  min-height: 0;\n  aspect-ratio: var(--et-shape);\n  place-content: start center;\n  container-type: size;\n}\n/* As large as fits, in the video's own shape. */\n.et-node .et-screen {\n  width: min(100cqw, 100cqh * var(--et-shape));\n  max-height: none;\n}\n.et-node .et-line {\n  flex: none;\n}\n.et-node .et-line:not(.et-bad) {\n  color: var(--et-dim);\n}\n";
// src/training/client.ts
var ROOT = "/echotorrent/training";
/** The routes of training, as nodes/openapi.json has them. Every method throws Refused or Away. */
var TrainingClient = class {
	http;
	constructor(http) {
		this.http = http;
	}
	options = () => this.get("/options");
	jobs = async () => (await this.get("/jobs")).jobs;
	job = (id) => this.get(at("jobs", id));
	metrics = (id, after) => this.get(`${at("jobs", id, "metrics")}?after=${after}`);
	log = (id, after) => this.get(`${at("jobs", id, "log")}?after=${after}`);
	async samples(id) {
		return (await this.get(at("jobs", id, "samples"))).samples;
	}
	async checkpoints(id) {
		return (await this.get(at("jobs", id, "checkpoints"))).checkpoints;
	}
	createJob = (job) => this.send("POST", "/jobs", job);
	estimate = (job) => this.send("POST", "/estimate", job);
	order = (id, order) => this.send("POST", at("jobs", id, order));
	/** Ends the worker at once, without a checkpoint. */
	end = (id) => this.send("POST", at("jobs", id, "stop"), { force: true });
	changeJob = (id, change) => this.send("PATCH", at("jobs", id), change);
	deleteJob = (id) => this.send("DELETE", at("jobs", id));
	compare(id, checkpoints, seconds, clip) {
		return this.send("POST", at("jobs", id, "compare"), {
			checkpoints,
			seconds,
			...clip && { clip }
		});
	}
	/** Copies a checkpoint to models/echotorrent_identities, beyond the life of its job. */
	keep = (job, file, name) => this.send("POST", "/identities", {
		job,
		file,
		name
	});
	datasets = async () => (await this.get("/datasets")).datasets;
	dataset = (id) => this.get(at("datasets", id));
	createDataset = (name) => this.send("POST", "/datasets", { name });
	renameDataset = (id, name) => this.send("PATCH", at("datasets", id), { name });
	deleteDataset = (id) => this.send("DELETE", at("datasets", id));
	check = (id) => this.send("POST", at("datasets", id, "check"));
	changeClip = (id, clip, change) => this.send("PATCH", at("datasets", id, "clips", clip), change);
	deleteClip = (id, clip) => this.send("DELETE", at("datasets", id, "clips", clip));
	async addClip(id, file, sending) {
		const form = new FormData();
		form.append("file", file, file.name);
		const path = ROOT + at("datasets", id, "clips");
		return (await alive((await accepted(await alive(this.http.upload(path, form, sending)), path)).json())).dataset;
	}
	sampleUrl = (job, { file, modified }) => this.address(at("jobs", job, "samples", file), modified);
	checkpointUrl = (job, { file, modified }) => this.address(at("jobs", job, "checkpoints", file), modified);
	clipUrl = (dataset, { file, bytes }) => this.address(at("datasets", dataset, "clips", file, "video"), bytes);
	thumbnailUrl = (dataset, { file, bytes, begin }) => this.address(at("datasets", dataset, "clips", file, "thumbnail"), `${bytes}-${begin}`);
	address(path, version) {
		return this.http.url(`${ROOT}${path}?v=${version}`);
	}
	async get(path) {
		return await json(this.http, ROOT + path);
	}
	async send(method, path, body) {
		const given = body === void 0 ? {} : {
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify(body)
		};
		return await alive((await ask(this.http, ROOT + path, {
			method,
			...given
		})).json());
	}
};
var at = (...parts) => parts.map((part) => `/${encodeURIComponent(part)}`).join("");
// src/training/curve.ts
var EMPTY = {
	runs: -1,
	n: 0,
	series: /* @__PURE__ */ new Map()
};
var NO_METRIC = /* @__PURE__ */ new Set(["step", "time"]);
/** The curve with the lines after its own; null if the job went back, so that all must be read from 0. */
function extend(curve, { runs, n, lines }) {
	if (curve.n > 0 && (runs !== curve.runs || n < curve.n)) return null;
	if (!lines.length && runs === curve.runs) return curve;
	const series = new Map([...curve.series].map(([name, points]) => [name, [...points]]));
	for (const line of lines) for (const [name, value] of Object.entries(line)) {
		if (NO_METRIC.has(name) || typeof value !== "number") continue;
		const points = series.get(name) ?? [];
		while ((points.at(-1)?.step ?? -1) >= line.step) points.pop();
		points.push({
			step: line.step,
			value
		});
		series.set(name, points);
	}
	return {
		runs,
		n,
		series
	};
}
/** Exponential average; weight: 0 leaves the points as they are, towards 1 it follows ever more slowly. */
function smooth(points, weight) {
	let average = 0;
	let sum = 0;
	return points.map(({ step, value }) => {
		average = weight * average + (1 - weight) * value;
		sum = weight * sum + (1 - weight);
		return {
			step,
			value: average / sum
		};
	});
}
/** Index of the first point at or after `step`. */
function indexOf(points, step) {
	let [low, high] = [0, points.length];
	while (low < high) {
		const middle = low + high >> 1;
		if ((points[middle]?.step ?? Infinity) < step) low = middle + 1;
		else high = middle;
	}
	return low;
}
/** The point nearest to `step`. */
function nearest(points, step) {
	const after = indexOf(points, step);
	const [left, right] = [points[after - 1], points[after]];
	if (!left || !right) return left ?? right;
	return step - left.step < right.step - step ? left : right;
}
/** The points inside a range of steps and one at or beyond each end, so that lines reach the edge. */
function within(points, [from, to]) {
	return points.slice(Math.max(0, indexOf(points, from) - 1), indexOf(points, to) + 1);
}
/** At most 4 points per bucket, among them its lowest and highest: drawn as lines they look like all points. */
function thin(points, buckets) {
	const [first, last] = [points[0], points.at(-1)];
	if (!first || !last || points.length <= 4 * buckets) return points;
	const width = (last.step - first.step) / buckets;
	const kept = [];
	for (let begin = 0; begin < points.length;) {
		const bucket = bucketOf(points[begin]);
		let end = begin + 1;
		while (end < points.length && bucketOf(points[end]) === bucket) end += 1;
		kept.push(...extremes(points.slice(begin, end)));
		begin = end;
	}
	return kept;
	function bucketOf(point) {
		return point && first ? Math.floor((point.step - first.step) / width) : -1;
	}
}
/** First, lowest, highest and last point, in their order. */
function extremes(points) {
	let [low, high] = [0, 0];
	points.forEach(({ value }, i) => {
		if (value < (points[low]?.value ?? 0)) low = i;
		if (value > (points[high]?.value ?? 0)) high = i;
	});
	return [.../* @__PURE__ */ new Set([
		0,
		low,
		high,
		points.length - 1
	])].sort((a, b) => a - b).flatMap((i) => points[i] ?? []);
}
/** Lowest and highest step of several series. */
function steps(all) {
	const ends = all.flatMap((points) => [points[0]?.step ?? [], points.at(-1)?.step ?? []].flat());
	return ends.length ? [Math.min(...ends), Math.max(...ends)] : [0, 1];
}
/** Range of the values, with some room; on a log axis only of the positive ones. */
function extent(all, log) {
	let [low, high] = [Infinity, -Infinity];
	for (const points of all) for (const { value } of points) {
		if (log && value <= 0) continue;
		low = Math.min(low, value);
		high = Math.max(high, value);
	}
	if (low > high) return log ? [.1, 1] : [0, 1];
	const flat = high - low <= 1e-9 * Math.abs(high);
	if (log) {
		const room = flat ? 2 : (high / low) ** .05;
		return [low / room, high * room];
	}
	const room = flat ? Math.abs(high) / 2 || 1 : .06 * (high - low);
	return [low - room, high + room];
}
/** Round numbers inside a range, about `count` of them. */
function ticks([low, high], count) {
	if (!(high > low)) return [];
	const rough = (high - low) / Math.max(1, count);
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = power * ([
		1,
		2,
		5
	].find((factor) => factor * power >= rough) ?? 10);
	const first = Math.ceil(low / step - 1e-9);
	return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => tidy((first + i) * step));
}
/** Powers of ten inside a range, with their halves and fifths where there are few; round numbers where there are none. */
function logTicks([low, high], count) {
	const found = [];
	const decades = Math.log10(high / low);
	const factors = decades > count ? [1] : decades > count / 3 ? [1, 3] : [
		1,
		2,
		5
	];
	const every = Math.max(1, Math.ceil(decades / count));
	for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) if (power % every === 0) for (const factor of factors) {
		const value = tidy(factor * 10 ** power);
		if (value >= low && value <= high) found.push(value);
	}
	return found.length > 1 ? found : ticks([low, high], count);
}
/** 0.1 + 0.2 as 0.3. */
var tidy = (value) => Number(value.toPrecision(12));
/** Position of a value between the ends of a range: 0 at `low`, 1 at `high`. */
function share$1(value, [low, high], log = false) {
	if (log) return value > 0 ? Math.log(value / low) / Math.log(high / low) : -Infinity;
	return (value - low) / (high - low);
}
/** A number in few characters: 0.1234, 1.2e-5, 12 300. */
function brief(value) {
	if (!Number.isFinite(value)) return String(value);
	const size = Math.abs(value);
	if (size !== 0 && (size < .001 || size >= 1e6)) return value.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
	if (size >= 1e3) return Math.round(value).toLocaleString("en-GB").replace(/,/g, " ");
	return String(Number(value.toPrecision(4)));
}
// src/training/types.ts
/** Whether a worker is at it. */
var isActive = ({ state }) => state === "starting" || state === "running";
/** Whether something about it may change by itself. */
var isLively = (job) => job.state === "queued" || isActive(job) || job.pending.length > 0;
// src/training/words.ts
var UNITS = [
	"bytes",
	"kB",
	"MB",
	"GB",
	"TB"
];
/** "9.4 GB". */
function bytes(count) {
	const power = count < 1e3 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3));
	const value = count / 1e3 ** power;
	return `${power && value < 99.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}
/** "45 s", "12 min", "3 h 20 min". */
function duration(seconds) {
	if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`;
	const minutes = Math.round(seconds / 60);
	if (minutes < 60) return `${minutes} min`;
	const hours = Math.floor(minutes / 60);
	if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
	return `${Math.round(hours / 24)} days`;
}
/** "step 120 of 400"; empty before the first. */
function stepsOf({ step, total, state }) {
	if (!step && state !== "running") return total ? `${total} steps` : "";
	return total && step < total ? `step ${step} of ${total}` : `${step} steps`;
}
/** The state in a word or two: "running", "next", "3rd in the queue". */
function stateOf({ state, position, pending }) {
	if (state === "queued") return position === null ? "queued" : position === 0 ? "next" : `${nth(position + 1)} in the queue`;
	if (pending.includes("stop")) return "stopping";
	if (pending.includes("pause") || pending.includes("requeue")) return "pausing";
	return state;
}
function nth(n) {
	return `${n}${{
		one: "st",
		two: "nd",
		few: "rd"
	}[new Intl.PluralRules("en", { type: "ordinal" }).select(n)] ?? "th"}`;
}
/** Share of the steps that are done, 0 to 1; undefined while it is not known. */
var shareOf = ({ step, total, state }) => state === "finished" ? 1 : total ? Math.min(1, step / total) : void 0;
/** "3 min left"; empty if there is no estimate. */
var leftOf = ({ seconds_left: left }) => left === null ? "" : `${duration(left)} left`;
/** "step 200", or the name of a file that has none. */
var checkpointName = ({ step, file }) => step === null ? file : `step ${step}`;
/** What a sample shows: its label, unless that is all there is of its step. */
var sampleName = ({ step, label, file }) => [step === null ? "" : `step ${step}`, label].filter(Boolean).join(", ") || file;
/** A log without what a progress bar has drawn over; more may follow it. */
var drawn = (log) => log.replace(/[^\n]*\r(?=[^\r\n])/g, "");
/** A log as a terminal shows it. */
var printed = (log) => drawn(log).replace(/\r/g, "");
/** The verdict on a clip in a word or two; its sentence says more. */
function badgeOf(verdict) {
	if (!verdict) return "not looked at";
	return verdict.usable ? "usable" : verdict.reason || "not usable";
}
/** "8 clips, 6 usable". */
function clipsOf(clips, usable) {
	if (!clips.length) return "no clips";
	return `${clips.length} ${clips.length === 1 ? "clip" : "clips"}, ${usable} usable`;
}
// src/training/feed.ts
var LINES = 500;
var FILES = 3;
/** What one job writes: its curve, log, samples and checkpoints, each read on from where it was. */
var Feed = class {
	client;
	id;
	curve = /* @__PURE__ */ shallowRef(EMPTY);
	log = /* @__PURE__ */ shallowRef("");
	samples = /* @__PURE__ */ shallowRef([]);
	checkpoints = /* @__PURE__ */ shallowRef([]);
	/** Whether all of it was read once. */
	loaded = /* @__PURE__ */ shallowRef(false);
	logged;
	seen = "";
	looks = 0;
	stale = true;
	constructor(client, id) {
		this.client = client;
		this.id = id;
	}
	/** Reads what is new of a job, if it has changed since. Throws Refused or Away. */
	async look(job) {
		const now = `${job.runs} ${job.state} ${job.updated} ${job.step} ${job.pending.join()}`;
		const changed = now !== this.seen;
		this.stale ||= changed;
		const files = isActive(job) ? this.looks % FILES === 0 : this.stale;
		this.looks += 1;
		await Promise.all([...changed ? [this.readCurve(), this.readLog()] : [], ...files ? [this.readFiles()] : []]);
		this.seen = now;
		if (files) this.stale = false;
		this.loaded.value = true;
	}
	async readCurve() {
		for (let more = true; more;) {
			const found = await this.client.metrics(this.id, this.curve.value.n);
			const longer = extend(this.curve.value, found);
			if (longer) this.curve.value = longer;
			else this.curve.value = EMPTY;
			more = !longer || found.more && found.lines.length > 0;
		}
	}
	async readLog() {
		for (let more = true; more;) {
			const { text, next, size } = await this.client.log(this.id, this.logged ?? -16384);
			if (size < (this.logged ?? 0)) {
				this.logged = void 0;
				this.log.value = "";
				continue;
			}
			this.logged = next;
			if (text) this.log.value = lastLines(drawn(this.log.value + text));
			more = next < size && text !== "";
		}
	}
	async readFiles() {
		const [samples, checkpoints] = await Promise.all([this.client.samples(this.id), this.client.checkpoints(this.id)]);
		if (!same(samples, this.samples.value)) this.samples.value = samples;
		if (!same(checkpoints, this.checkpoints.value)) this.checkpoints.value = checkpoints;
	}
};
function lastLines(text) {
	const lines = text.split("\n");
	return lines.length > LINES ? lines.slice(-500).join("\n") : text;
}
/** Whether two lists name the same files: what is shown of them then stays as it is. */
function same(some, others) {
	return some.length === others.length && some.every(({ file, modified }, i) => file === others[i]?.file && modified === others[i]?.modified);
}
// src/training/poll.ts
/** Looks again and again while it is wanted, never twice at the same time. */
var Poll = class {
	look;
	period;
	wanted = false;
	looking = null;
	again = false;
	timer;
	/** period: milliseconds from the end of one look to the next. `look` does not throw. */
	constructor(look, period) {
		this.look = look;
		this.period = period;
	}
	/** Whether anybody sees it. */
	want(wanted) {
		if (wanted === this.wanted) return;
		this.wanted = wanted;
		if (wanted) this.now();
		else clearTimeout(this.timer);
	}
	/** Looks at once; while it is looking already, once more after that. */
	now() {
		if (this.looking) this.again = true;
		this.looking ??= this.run().finally(() => this.looking = null);
		return this.looking;
	}
	async run() {
		clearTimeout(this.timer);
		do {
			this.again = false;
			await this.look();
		} while (this.again);
		clearTimeout(this.timer);
		if (this.wanted) this.timer = setTimeout(() => void this.now(), this.period());
	}
};
// src/training/uploads.ts
/** Files on their way into one dataset, one after the other. Those that arrived are taken off the list. */
var Uploads = class {
	client;
	dataset;
	limits;
	arrived;
	done;
	list = /* @__PURE__ */ shallowReactive([]);
	waiting = [];
	sending;
	constructor(client, dataset, limits, arrived, done) {
		this.client = client;
		this.dataset = dataset;
		this.limits = limits;
		this.arrived = arrived;
		this.done = done;
	}
	add(files) {
		for (const file of files) {
			const problem = this.problemOf(file);
			const upload = /* @__PURE__ */ shallowReactive({
				name: file.name,
				share: 0,
				state: problem ? "refused" : "waiting",
				problem
			});
			this.list.push(upload);
			if (!problem) this.waiting.push({
				upload,
				file,
				ending: new AbortController()
			});
		}
		if (!this.sending) this.run();
	}
	/** Takes one off the list; one that is being sent is broken off. */
	drop(upload) {
		this.list.splice(this.list.indexOf(upload), 1);
		const at = this.waiting.findIndex((entry) => entry.upload === upload);
		if (at >= 0) this.waiting.splice(at, 1);
		else if (this.sending?.upload === upload) this.sending.ending.abort();
	}
	problemOf({ name, size }) {
		const found = this.limits();
		if (!found) return "";
		const ending = /\.[^.]*$/.exec(name)?.[0].toLowerCase() ?? "";
		if (!found.media.includes(ending)) return `'${name}' is no clip: videos and stills are taken, such as ${few(found.media)}.`;
		const most = found.limits.upload_bytes;
		return size > most ? `'${name}' has ${bytes(size)}, and at most ${bytes(most)} are taken.` : "";
	}
	async run() {
		let any = false;
		while (this.sending = this.waiting.shift()) any = await this.send(this.sending) || any;
		if (any) this.done();
	}
	async send({ upload, file, ending }) {
		upload.state = "sending";
		try {
			const progress = (share) => void (upload.share = share);
			const dataset = await this.client.addClip(this.dataset, file, {
				progress,
				signal: ending.signal
			});
			if (!ending.signal.aborted) this.list.splice(this.list.indexOf(upload), 1);
			this.arrived(dataset);
			return true;
		} catch (error) {
			upload.state = "refused";
			upload.problem = messageOf(error);
			return false;
		}
	}
};
var few = (endings) => [
	".mp4",
	".mov",
	".webm",
	".png",
	".jpg"
].filter((ending) => endings.includes(ending)).join(", ") || endings.join(", ");
// src/training/store.ts
var OPEN = 1e3;
var REST = 3e3;
/**
* Jobs and datasets as the server knows them. It is asked again and again while somebody looks; what it says is the
* truth, and a job goes on without it.
*/
var TrainingStore = class {
	client;
	jobs = /* @__PURE__ */ shallowRef([]);
	datasets = /* @__PURE__ */ shallowRef([]);
	options = /* @__PURE__ */ shallowRef();
	/** What the open job writes. */
	feed = /* @__PURE__ */ shallowRef();
	online = /* @__PURE__ */ shallowRef(true);
	loaded = /* @__PURE__ */ shallowRef(false);
	/** What the server objected to when it was asked; empty if nothing. */
	refused = computed(() => [...this.objections.values()][0] ?? "");
	fineTunes = computed(() => inOrder(this.jobs.value.filter(({ kind }) => kind === "identity")));
	running = computed(() => this.fineTunes.value.filter(isActive));
	objections = /* @__PURE__ */ shallowReactive(/* @__PURE__ */ new Map());
	opened = null;
	all = new Poll(() => this.guard("all", () => this.readAll()), () => REST);
	one = new Poll(() => this.guard("opened", () => this.readOpened()), () => this.isLively() ? OPEN : REST);
	uploads = /* @__PURE__ */ new Map();
	asking = null;
	constructor(client) {
		this.client = client;
	}
	/** Whether anybody sees what is shown of it; if not, the server is left alone. */
	show(visible) {
		this.all.want(visible);
		this.one.want(visible);
	}
	open(opened) {
		this.opened = opened;
		const job = opened && "job" in opened ? opened.job : void 0;
		if (job !== this.feed.value?.id) this.feed.value = job === void 0 ? void 0 : new Feed(this.client, job);
		this.objections.delete("opened");
		this.objections.delete("check");
		if (opened) this.one.now();
	}
	/** Looks at once. */
	async refresh() {
		await Promise.all([this.all.now(), this.opened ? this.one.now() : void 0]);
	}
	/** Reads presets, devices and limits. The first answer may take seconds, so that it is asked for once at a time. */
	loadOptions() {
		this.asking ??= this.guard("options", async () => void (this.options.value = await this.client.options())).finally(() => this.asking = null);
		return this.asking;
	}
	findJob = (id) => this.jobs.value.find((job) => job.id === id);
	findDataset = (id) => this.datasets.value.find((dataset) => dataset.id === id);
	/** Comparisons of a fine-tune's checkpoints, newest first. */
	comparisons = (id) => this.jobs.value.filter(({ kind, parent }) => kind === "compare" && parent === id);
	/** The job that looks at a dataset's clips now. */
	checking = (id) => this.jobs.value.find((job) => job.kind === "check" && job.dataset === id && isLively(job));
	/** Files on their way into a dataset; they go on while something else is shown. Afterwards they are looked at. */
	uploadsTo(id) {
		const known = this.uploads.get(id);
		if (known) return known;
		const made = new Uploads(this.client, id, () => this.options.value, this.putDataset, () => {
			if (!this.options.value?.problem) this.check(id);
		});
		this.uploads.set(id, made);
		return made;
	}
	/** Has the server look at the clips of a dataset. Refusals are shown. */
	check(id) {
		return this.guard("check", async () => this.putJob(await this.client.check(id))).then(() => this.refresh());
	}
	putJob = (job) => put(this.jobs, job);
	putDataset = (dataset) => put(this.datasets, dataset);
	putClip(id, clip) {
		const dataset = this.findDataset(id);
		if (dataset) this.putDataset({
			...dataset,
			clips: dataset.clips.map((old) => old.file === clip.file ? clip : old)
		});
	}
	dropJob(id) {
		this.jobs.value = this.jobs.value.filter((job) => job.id !== id && job.parent !== id);
	}
	dropDataset(id) {
		this.datasets.value = this.datasets.value.filter((dataset) => dataset.id !== id);
	}
	isLively() {
		const { opened } = this;
		if (!opened) return false;
		if ("dataset" in opened) return this.checking(opened.dataset) !== void 0;
		const job = this.findJob(opened.job);
		return job !== void 0 && isLively(job);
	}
	async readAll() {
		const [jobs, datasets] = await Promise.all([this.client.jobs(), this.client.datasets()]);
		this.jobs.value = jobs;
		this.datasets.value = datasets;
		this.loaded.value = true;
	}
	async readOpened() {
		const { opened } = this;
		if (!opened) return;
		try {
			if ("dataset" in opened) return this.putDataset(await this.client.dataset(opened.dataset));
			const job = await this.client.job(opened.job);
			this.putJob(job);
			if (this.feed.value?.id === job.id) await this.feed.value.look(job);
		} catch (error) {
			if (!(error instanceof Refused && error.status === 404)) throw error;
			if ("job" in opened) this.dropJob(opened.job);
			else this.dropDataset(opened.dataset);
		}
	}
	async guard(what, work) {
		try {
			await work();
			this.online.value = true;
			this.objections.delete(what);
		} catch (error) {
			if (error instanceof Away) this.online.value = false;
			else this.objections.set(what, messageOf(error));
		}
	}
};
/** What runs first, then what waits, in the order of its turn; the rest with the newest first. */
function inOrder(jobs) {
	const rank = (job) => isActive(job) ? -2 : job.state === "queued" ? -1 : 0;
	return [...jobs].sort((a, b) => rank(a) - rank(b) || (a.position ?? 0) - (b.position ?? 0) || b.created - a.created);
}
function put(list, one) {
	list.value = list.value.some(({ id }) => id === one.id) ? list.value.map((old) => old.id === one.id ? one : old) : [one, ...list.value];
}
// src/media/plan.ts
var MARGIN = .25;
/**
* The next thing to do with the buffer, or null. Memory stays bounded on a video of any length: what lies far from
* the playing position is removed, and loaded again when the user seeks back.
*/
function plan(parts, held, time, room) {
	return behind(parts, held, time, room) ?? ahead(parts, held, time, room) ?? missing(parts, held, time, room);
}
function behind(parts, held, time, room) {
	const old = parts.filter((part) => held.has(part.key) && part.end < time - room.behind);
	const end = old.at(-1)?.end ?? 0;
	return end > MARGIN ? { remove: {
		from: 0,
		to: end - MARGIN,
		keys: keys(old)
	} } : null;
}
/** Only far beyond the room: what was loaded ahead is not thrown away for a small step back. */
function ahead(parts, held, time, room) {
	const far = parts.filter((part) => held.has(part.key) && part.start > time + 3 * room.ahead);
	const first = far[0];
	return first ? { remove: {
		from: first.start,
		to: Infinity,
		keys: keys(far)
	} } : null;
}
function missing(parts, held, time, room) {
	const part = parts.find((p) => !held.has(p.key) && p.end > time - MARGIN && p.start < time + room.ahead);
	return part ? { append: part } : null;
}
var keys = (parts) => parts.map((part) => part.key);
// src/media/feeder.ts
var ROOM = {
	behind: 60,
	ahead: 60
};
var LEAST$1 = 4;
/** Keeps a SourceBuffer filled around the playing position. Call `update` when parts are added or time moves. */
var Feeder = class {
	source;
	buffer;
	load;
	time;
	failed;
	parts = [];
	over = false;
	held = /* @__PURE__ */ new Set();
	room = ROOM;
	pumping = false;
	again = false;
	closed = false;
	constructor(source, buffer, load, time, failed) {
		this.source = source;
		this.buffer = buffer;
		this.load = load;
		this.time = time;
		this.failed = failed;
	}
	/** Takes the first bytes and the length of what is there: before, the element refuses to be set to a position. */
	async begin(init, parts) {
		await this.settle(() => this.buffer.appendBuffer(init));
		this.parts = parts;
		this.stretch();
	}
	update(parts = this.parts, over = this.over) {
		[this.parts, this.over] = [parts, over];
		this.pump();
	}
	close() {
		this.closed = true;
	}
	async pump() {
		this.again = true;
		if (this.pumping) return;
		this.pumping = true;
		try {
			while (this.again && this.usable) {
				this.again = false;
				await this.fill();
			}
		} catch (error) {
			if (this.usable) this.failed(error);
		} finally {
			this.pumping = false;
		}
	}
	get usable() {
		return !this.closed && this.source.readyState !== "closed";
	}
	async fill() {
		this.stretch();
		for (let step; this.usable && (step = plan(this.parts, this.held, this.time(), this.room));) if ("append" in step) {
			const data = await this.load(step.append.path);
			if (!this.usable) return;
			if (await this.append(data)) this.held.add(step.append.key);
			else if (!this.shrink()) return;
		} else {
			const { from, to, keys } = step.remove;
			await this.settle(() => this.buffer.remove(from, to));
			keys.forEach((key) => this.held.delete(key));
		}
		if (this.usable) this.finish();
	}
	/** False when the browser has no memory left for it. */
	async append(data) {
		try {
			await this.settle(() => this.buffer.appendBuffer(data));
			return true;
		} catch (error) {
			if (error instanceof DOMException && error.name === "QuotaExceededError") return false;
			throw error;
		}
	}
	shrink() {
		if (this.room.ahead <= LEAST$1) return false;
		this.room = {
			behind: this.room.behind / 2,
			ahead: this.room.ahead / 2
		};
		return true;
	}
	/** The seek bar covers all that is made, loaded or not. */
	stretch() {
		const { buffered } = this.buffer;
		const end = Math.max(this.parts.at(-1)?.end ?? 0, buffered.length ? buffered.end(buffered.length - 1) : 0);
		const known = this.source.duration;
		const short = !Number.isFinite(known) || known < end;
		if (this.source.readyState === "open" && short) this.source.duration = end;
	}
	/** Once the last part is in, playback may end there instead of waiting for more. */
	finish() {
		const end = this.parts.at(-1);
		if (this.over && end && this.held.has(end.key) && this.source.readyState === "open") this.source.endOfStream();
	}
	settle(change) {
		return new Promise((done, fail) => {
			const over = new AbortController();
			const listen = (name, act) => this.buffer.addEventListener(name, () => {
				over.abort();
				act();
			}, { signal: over.signal });
			listen("error", () => fail(/* @__PURE__ */ new Error("the browser cannot decode this video")));
			listen("updateend", done);
			try {
				change();
			} catch (error) {
				over.abort();
				fail(error);
			}
		});
	}
};
// src/media/playlist.ts
/** Path of the sound that the encoder still held at the end; a run of which nothing is left has none. */
var CLOSING = "closing";
var CLOSING_SECONDS = .1;
/** The fragments of a run in playing order: its chunks and, once it is over, the sound the encoder still held. */
function playlist({ snapshot: { fps }, events }) {
	const parts = [];
	for (const { kind, chunk = 0, first_frame = 0, frames = 0 } of events) {
		if (kind !== "chunk") continue;
		const key = `${chunk}:${first_frame}+${frames}`;
		parts.push({
			key,
			path: `segments/${chunk}`,
			start: first_frame / fps,
			end: (first_frame + frames) / fps
		});
	}
	const end = parts.at(-1)?.end;
	const over = ["end", "stop"].includes(events.at(-1)?.kind ?? "");
	if (end !== void 0 && over) parts.push({
		key: `closing@${end}`,
		path: CLOSING,
		start: end,
		end: end + CLOSING_SECONDS
	});
	return parts;
}
/** MIME type for MediaSource: H.264 as its initialisation segment describes it, with AAC-LC. Empty if it has none. */
function mimeOf(init) {
	const bytes = new Uint8Array(init);
	const name = [..."avcC"].map((letter) => letter.charCodeAt(0));
	const at = bytes.findIndex((_, i) => name.every((code, j) => bytes[i + j] === code));
	if (at < 0 || at + 8 > bytes.length) return "";
	return `video/mp4; codecs="avc1.${[...bytes.subarray(at + 5, at + 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}, mp4a.40.2"`;
}
// src/media/sound.ts
/** Starts playback with sound where the browser allows it, and keeps two players from speaking at once. */
var speaking = /* @__PURE__ */ new Set();
var Sound = class {
	video;
	waiting;
	listeners = new AbortController();
	muted = false;
	/** waiting: told whether the video is muted only until the user clicks. */
	constructor(video, waiting) {
		this.video = video;
		this.waiting = waiting;
		const { signal } = this.listeners;
		for (const name of ["playing", "volumechange"]) video.addEventListener(name, () => this.heard(), { signal });
		for (const name of [
			"pause",
			"ended",
			"emptied"
		]) video.addEventListener(name, () => this.silent(), { signal });
	}
	/** Plays; muted if the browser wants a click first or another player speaks. */
	async play() {
		if (speaking.size && !speaking.has(this)) this.mute();
		try {
			await this.video.play();
		} catch (error) {
			if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
			this.mute();
			await this.video.play().catch(() => void 0);
		}
	}
	/** From a click, so the browser allows it. */
	on() {
		this.video.muted = false;
		this.video.play().catch(() => void 0);
	}
	/** Another video: what was muted for want of a click may speak again once the user plays it. */
	reset() {
		if (this.muted) this.video.muted = false;
		this.tell(false);
	}
	dispose() {
		this.silent();
		this.listeners.abort();
	}
	mute() {
		this.video.muted = true;
		this.tell(true);
	}
	tell(muted) {
		this.muted = muted;
		this.waiting(muted);
	}
	heard() {
		if (this.video.muted || this.video.paused) {
			this.silent();
			return;
		}
		this.tell(false);
		for (const other of speaking) if (other !== this) other.mute();
		speaking.add(this);
	}
	silent() {
		speaking.delete(this);
	}
};
// src/media/player.ts
var OPENING = 4e3;
var LATE = 20;
var NEAR = 2;
/** Once a page has refused blob media (content-security policy), asking again is of no use. */
var blobsRefused = false;
/** Plays one run at a time in a video element, while it is made or afterwards. */
var Player = class {
	video;
	client;
	autoplay;
	state = /* @__PURE__ */ shallowReactive({
		mode: "none",
		problem: "",
		wantsClick: false,
		live: true
	});
	listeners = new AbortController();
	sound;
	run;
	parts = [];
	feeder;
	opening = 0;
	playing = false;
	constructor(video, client, autoplay) {
		this.video = video;
		this.client = client;
		this.autoplay = autoplay;
		this.sound = new Sound(video, (muted) => this.state.wantsClick = muted);
		const on = (name, act) => video.addEventListener(name, act, { signal: this.listeners.signal });
		on("play", () => this.playing = true);
		on("pause", () => this.playing &&= !video.isConnected);
		on("timeupdate", () => this.moved());
		on("seeking", () => this.moved());
		on("error", () => this.broke());
	}
	/** Shows a run, or its newest state. */
	show(run) {
		const before = this.run;
		if (run?.snapshot.id !== before?.snapshot.id) this.reset();
		this.run = run;
		this.parts = run ? playlist(run) : [];
		if (!run || !this.parts.length) return;
		const resumed = before && isOver(before.snapshot) && !isOver(run.snapshot);
		if (this.state.mode === "none") this.start(run);
		else if (resumed) this.start(run, this.video.currentTime);
		else if (this.feeder) this.feeder.update(this.parts, isOver(run.snapshot));
		else if (before && !isOver(before.snapshot) && isOver(run.snapshot)) this.direct(this.video.currentTime);
		this.moved();
	}
	/** To the newest that is made. */
	jump() {
		this.video.currentTime = Math.max(0, this.end - .5);
		this.sound.play();
	}
	soundOn() {
		this.sound.on();
	}
	/** The element is on the page again. */
	back() {
		if (this.playing && this.video.paused && this.video.isConnected) this.sound.play();
	}
	/** After the server was away. */
	retry() {
		if (!this.run || !this.parts.length) return;
		if (this.video.error || this.state.mode === "none") this.start(this.run, this.video.currentTime);
		else this.feeder?.update();
	}
	dispose() {
		this.reset();
		this.listeners.abort();
		this.sound.dispose();
	}
	/** Seconds that are made. */
	get end() {
		return this.parts.at(-1)?.end ?? 0;
	}
	reset() {
		this.opening++;
		this.feeder?.close();
		this.feeder = void 0;
		this.playing = false;
		this.sound.reset();
		if (this.video.src.startsWith("blob:")) URL.revokeObjectURL(this.video.src);
		this.video.removeAttribute("src");
		this.video.load();
		Object.assign(this.state, {
			mode: "none",
			problem: ""
		});
	}
	async start(run, from) {
		this.reset();
		const turn = this.opening;
		const running = !isOver(run.snapshot);
		const at = from ?? (running && this.end > LATE ? this.end - 3 : 0);
		try {
			if (blobsRefused || !await this.fragments(run, at, () => turn === this.opening)) this.direct(at);
		} catch (error) {
			if (turn === this.opening) this.failed(error);
			return;
		}
		if (turn === this.opening && running && this.autoplay()) this.sound.play();
	}
	/** Plays through a MediaSource; false where the browser cannot or the page may not. */
	async fragments(run, at, current) {
		const { id } = run.snapshot;
		this.state.mode = "source";
		const init = await this.client.media(id, "init");
		const mime = mimeOf(init);
		if (!current()) return true;
		if (!("MediaSource" in window) || !MediaSource.isTypeSupported(mime)) return false;
		const source = new MediaSource();
		const opened = await this.attach(source);
		if (!current()) return true;
		if (!opened) {
			blobsRefused = true;
			return false;
		}
		const buffer = source.addSourceBuffer(mime);
		const time = () => this.video.currentTime;
		const feeder = new Feeder(source, buffer, (path) => this.load(id, path), time, (error) => this.failed(error));
		const known = this.metadata();
		await feeder.begin(init, this.parts);
		await known;
		if (!current()) return true;
		this.feeder = feeder;
		if (at) this.video.currentTime = at;
		feeder.update(this.parts, isOver((this.run ?? run).snapshot));
		return true;
	}
	metadata() {
		if (this.video.readyState >= this.video.HAVE_METADATA) return Promise.resolve();
		return new Promise((done) => {
			const over = new AbortController();
			for (const name of [
				"loadedmetadata",
				"error",
				"emptied"
			]) this.video.addEventListener(name, () => (over.abort(), done(null)), { signal: over.signal });
		});
	}
	async load(id, path) {
		try {
			return await this.client.media(id, path);
		} catch (error) {
			if (path === "closing" && error instanceof Refused && error.status === 404) return /* @__PURE__ */ new ArrayBuffer(0);
			throw error;
		}
	}
	attach(source) {
		return new Promise((done) => {
			const over = new AbortController();
			const settle = (opened) => {
				over.abort();
				clearTimeout(timer);
				done(opened);
			};
			const timer = setTimeout(() => settle(false), OPENING);
			source.addEventListener("sourceopen", () => settle(true), { signal: over.signal });
			this.video.addEventListener("error", () => settle(false), { signal: over.signal });
			this.video.src = URL.createObjectURL(source);
		});
	}
	/** One address. It can be sought in only when the run is over, so it is loaded anew then; before, it begins at `at`. */
	direct(at) {
		const running = this.run !== void 0 && !isOver(this.run.snapshot);
		const first = running ? Math.max(0, this.parts.findIndex((part) => part.end > at)) : 0;
		this.feeder?.close();
		this.feeder = void 0;
		Object.assign(this.state, {
			mode: "direct",
			problem: ""
		});
		const wanted = this.playing;
		this.video.src = this.client.videoUrl(this.run?.snapshot.id ?? "", first);
		if (at && !running) this.video.currentTime = at;
		if (wanted) this.sound.play();
	}
	moved() {
		this.state.live = this.end - this.video.currentTime < NEAR;
		this.feeder?.update();
	}
	/** The element gave up. While a MediaSource is being attached, that means it is not allowed: see `attach`. */
	broke() {
		if (this.state.mode === "source" && !this.feeder) return;
		if (this.video.error) this.failed(new Error(this.video.error.message || "the browser cannot play this video"));
	}
	failed(error) {
		if (this.state.mode === "source" && !this.feeder) this.state.mode = "none";
		if (error instanceof Away) return;
		this.state.problem = error instanceof Error ? error.message : String(error);
	}
};
// src/view/FailureCard.vue
var FailureCard_default = /* @__PURE__ */ defineComponent({
	__name: "FailureCard",
	props: {
		title: {},
		text: {},
		action: {},
		mild: { type: Boolean }
	},
	emits: ["act"],
	setup(__props) {
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("div", {
				class: normalizeClass(["et-card", { "et-mild": __props.mild }]),
				role: "alert"
			}, [
				createBaseVNode("strong", null, toDisplayString(__props.title), 1),
				createBaseVNode("span", null, toDisplayString(__props.text), 1),
				__props.action ? (openBlock(), createElementBlock("button", {
					key: 0,
					type: "button",
					class: "et-button",
					onClick: _cache[0] || (_cache[0] = ($event) => _ctx.$emit("act"))
				}, toDisplayString(__props.action), 1)) : createCommentVNode("", true)
			], 2);
		};
	}
});
// src/view/services.ts
var KEY = Symbol("echotorrent");
function services() {
	const found = inject(KEY);
	if (!found) throw new Error("the views of EchoTorrent need their services");
	return found;
}
// src/view/words.ts
var seconds = (value) => value < 60 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, "0")}`;
/** How fast it is made, in seconds of video per second: the last chunks' pace, of a run that is over all chunks'. */
function pace({ snapshot, events }) {
	const chunks = events.filter(({ kind }) => kind === "chunk").slice(isOver(snapshot) ? 0 : -8);
	const sum = (of) => chunks.reduce((n, event) => n + (of(event) ?? 0), 0);
	const took = sum((event) => event.seconds);
	return took ? sum((event) => event.frames) / snapshot.fps / took : void 0;
}
/** "0.31x real time"; empty before the first chunk. */
function speed(run) {
	const found = pace(run);
	return found === void 0 ? "" : `${found.toFixed(2)}x real time`;
}
/** "96 of 290 frames, 3.8 s"; of a run that is over, what was made. */
function progress({ state, frames, total_frames: total, seconds: made }) {
	return `${total && state !== "finished" ? `${frames} of ${total} frames` : `${frames} frames`}, ${seconds(made)}`;
}
/** Share of the run that is made, 0 to 1; undefined if its length is not known. */
function share({ state, frames, total_frames: total }) {
	if (state === "finished") return 1;
	return total ? Math.min(1, frames / total) : void 0;
}
/** Local time for today, the date for older ones. */
function when(created, now = /* @__PURE__ */ new Date()) {
	const date = /* @__PURE__ */ new Date(created * 1e3);
	return date.toDateString() === now.toDateString() ? date.toLocaleTimeString([], {
		hour: "2-digit",
		minute: "2-digit"
	}) : date.toLocaleDateString();
}
function describe(event) {
	const { n, kind, chunk, frames, seconds: took, real_time: speed, message } = event;
	if (kind === "chunk") return `Chunk ${(chunk ?? 0) + 1}: ${frames} frames in ${took?.toFixed(1)} s, ${speed?.toFixed(2)}x`;
	if (kind === "start") return n === 1 ? "Started" : "Resumed";
	if (kind === "end") return `Finished after ${frames} frames`;
	if (kind === "stop") return `Stopped after ${frames} frames`;
	if (kind === "error") return message ? sentence(message) : "Failed";
	return kind;
}
/** A message of the server as a sentence: with a capital and a full stop. */
function sentence(message) {
	const text = message.trim();
	return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}
/** What went wrong with a run and what to do; null if nothing did. */
function failureOf({ state, message, chunks }) {
	const kept = chunks ? "What was made is kept and plays below." : "Nothing was made yet.";
	if (state === "failed") return {
		title: "The run failed",
		text: `${sentence(message || "the log of ComfyUI says why")} ${kept}`
	};
	if (state === "interrupted") return {
		title: "The run broke off",
		text: `ComfyUI ended while it was being made. ${kept} It can be resumed.`
	};
	return null;
}
var canResume = ({ state }) => [
	"stopped",
	"interrupted",
	"failed"
].includes(state);
// src/view/RunPlayer.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$35 = ["data-mode"];
var _hoisted_2$31 = { class: "et-screen" };
var _hoisted_3$26 = {
	key: 0,
	class: "et-waiting"
};
// src/view/RunPlayer.vue
var RunPlayer_default = /* @__PURE__ */ defineComponent({
	__name: "RunPlayer",
	props: { run: {} },
	setup(__props) {
		const { client, store, autoplay } = services();
		const video = useTemplateRef("video");
		const player = /* @__PURE__ */ shallowRef();
		let presence;
		const running = computed(() => __props.run !== void 0 && !isOver(__props.run.snapshot));
		const waiting = computed(() => {
			if (!__props.run) return "The video appears here while it is made.";
			if (__props.run.snapshot.chunks) return "";
			return running.value ? "Waiting for the first chunk" : "This run made no video.";
		});
		const shape = computed(() => {
			const { width = 0, height = 0 } = __props.run?.snapshot ?? {};
			return { "--et-shape": width && height ? width / height : 1 };
		});
		onMounted(() => {
			if (!video.value) return;
			const made = player.value = new Player(video.value, client, autoplay);
			watch(() => __props.run, (now) => made.show(now), { immediate: true });
			watch(store.online, (online) => online && made.retry());
			presence = new IntersectionObserver(() => made.back());
			presence.observe(video.value);
		});
		onBeforeUnmount(() => {
			presence?.disconnect();
			player.value?.dispose();
		});
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("div", {
				class: "et-player",
				style: normalizeStyle(shape.value),
				"data-mode": player.value?.state.mode
			}, [createBaseVNode("div", _hoisted_2$31, [
				createBaseVNode("video", {
					ref_key: "video",
					ref: video,
					controls: "",
					playsinline: "",
					class: normalizeClass({ "et-empty": waiting.value })
				}, null, 2),
				waiting.value ? (openBlock(), createElementBlock("p", _hoisted_3$26, toDisplayString(waiting.value), 1)) : createCommentVNode("", true),
				player.value?.state.wantsClick ? (openBlock(), createElementBlock("button", {
					key: 1,
					type: "button",
					class: "et-button et-sound",
					onClick: _cache[0] || (_cache[0] = ($event) => player.value.soundOn())
				}, " Turn sound on ")) : createCommentVNode("", true),
				running.value && player.value?.state.mode === "source" ? (openBlock(), createElementBlock("button", {
					key: 2,
					type: "button",
					class: normalizeClass(["et-button et-live", { "et-on": player.value?.state.live }]),
					title: "Jump to the newest that is made",
					onClick: _cache[1] || (_cache[1] = ($event) => player.value?.jump())
				}, " Live ", 2)) : createCommentVNode("", true)
			]), player.value?.state.problem ? (openBlock(), createBlock(FailureCard_default, {
				key: 0,
				title: "The video cannot be played here",
				text: unref(sentence)(player.value.state.problem),
				action: "Try again",
				onAct: _cache[2] || (_cache[2] = ($event) => player.value.retry())
			}, null, 8, ["text"])) : createCommentVNode("", true)], 12, _hoisted_1$35);
		};
	}
});
// src/view/NodePlayer.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$34 = { class: "et-root et-node" };
// src/view/NodePlayer.vue
var NodePlayer_default = /* @__PURE__ */ defineComponent({
	__name: "NodePlayer",
	props: { node: {} },
	setup(__props) {
		const { store } = services();
		const remembered = /* @__PURE__ */ ref(__props.node.remembered());
		const workflow = /* @__PURE__ */ ref(__props.node.workflow());
		__props.node.onLoaded(() => {
			remembered.value = __props.node.remembered();
			workflow.value = __props.node.workflow();
		});
		__props.node.onMade(async (made) => {
			if (!store.runs.has(made)) await store.refresh();
			const snapshot = store.runs.get(made)?.snapshot;
			if (snapshot && isHere(snapshot)) __props.node.remember(remembered.value = made);
		});
		/** The run this node made last. Node ids repeat between workflows, so a run that is over needs more than its node's. */
		const id = computed(() => {
			return store.order.value.find((run) => {
				const snapshot = store.runs.get(run)?.snapshot;
				return snapshot !== void 0 && isOurs(snapshot) && (snapshot.workflow_id || !isOver(snapshot));
			}) ?? remembered.value;
		});
		const run = computed(() => store.runs.get(id.value));
		const failure = computed(() => run.value && failureOf(run.value.snapshot));
		function isHere({ workflow_id }) {
			return !workflow_id || workflow_id === workflow.value;
		}
		/** Inside a subgraph the server knows the node by its path, `12:5`. */
		function isOurs(snapshot) {
			const { node_id } = snapshot;
			return isHere(snapshot) && (node_id === __props.node.id() || node_id.endsWith(`:${__props.node.id()}`));
		}
		watch(run, (now) => {
			if (!now) return;
			store.open(now.snapshot.id);
			__props.node.remember(remembered.value = now.snapshot.id);
		}, { immediate: true });
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("div", _hoisted_1$34, [createVNode(RunPlayer_default, { run: run.value }, null, 8, ["run"]), run.value && unref(isOver)(run.value.snapshot) ? (openBlock(), createElementBlock("p", {
				key: 0,
				class: normalizeClass(["et-line", { "et-bad": failure.value }])
			}, toDisplayString(failure.value?.title ?? unref(progress)(run.value.snapshot)), 3)) : createCommentVNode("", true)]);
		};
	}
});
// src/remembered.ts
var PREFIX = "EchoTorrent.panel.";
/**
* A choice that outlives a reload, in the browser's storage. What was stored counts only if it `holds`: it may come
* from another version. Without storage (a private window) it lives as long as the page.
*/
function remembered(name, first, holds, shelf = storage()) {
	const value = /* @__PURE__ */ ref(read(shelf, name, first, holds));
	watch(value, (now) => write(shelf, name, now), {
		deep: true,
		flush: "sync"
	});
	return value;
}
var isFlag = (value) => typeof value === "boolean";
var isShare = (value) => typeof value === "number" && value >= 0 && value <= 1;
function isRecord(of) {
	return (value) => typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(of);
}
function storage() {
	try {
		return globalThis.localStorage;
	} catch {
		return;
	}
}
function read(shelf, name, first, holds) {
	try {
		const found = JSON.parse(shelf?.getItem(PREFIX + name) ?? "null");
		return holds(found) ? found : first;
	} catch {
		return first;
	}
}
function write(shelf, name, value) {
	try {
		shelf?.setItem(PREFIX + name, JSON.stringify(value));
	} catch {}
}
// src/view/EventList.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$33 = {
	class: "et-events",
	"aria-label": "Events"
};
var _hoisted_2$30 = { class: "et-number" };
// src/view/EventList.vue
var EventList_default = /* @__PURE__ */ defineComponent({
	__name: "EventList",
	props: { events: {} },
	setup(__props) {
		const newest = computed(() => __props.events.slice(-200).reverse());
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("ol", _hoisted_1$33, [(openBlock(true), createElementBlock(Fragment, null, renderList(newest.value, (event) => {
				return openBlock(), createElementBlock("li", {
					key: event.n,
					class: normalizeClass({ "et-bad": event.kind === "error" })
				}, [createBaseVNode("span", _hoisted_2$30, toDisplayString(event.n), 1), createBaseVNode("span", null, toDisplayString(unref(describe)(event)), 1)], 2);
			}), 128))]);
		};
	}
});
// src/view/RunActions.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$32 = ["disabled"];
var _hoisted_2$29 = {
	key: 2,
	class: "et-resume"
};
var _hoisted_3$25 = {
	key: 0,
	role: "status"
};
// src/view/RunActions.vue
var RunActions_default = /* @__PURE__ */ defineComponent({
	__name: "RunActions",
	props: { run: {} },
	setup(__props) {
		const { client, store, host } = services();
		const { online } = store;
		const stopping = /* @__PURE__ */ ref(false);
		const failure = /* @__PURE__ */ ref("");
		const hint = /* @__PURE__ */ ref("");
		watch([() => __props.run.snapshot.id, () => __props.run.snapshot.state], () => {
			stopping.value = false;
			failure.value = hint.value = "";
		});
		async function stop() {
			stopping.value = true;
			failure.value = "";
			try {
				await client.stop(__props.run.snapshot.id);
				store.announced({
					run: __props.run.snapshot.id,
					n: Infinity
				});
			} catch (error) {
				stopping.value = false;
				failure.value = error instanceof Error ? error.message : String(error);
			}
		}
		function resume() {
			hint.value = host.resumeWith(__props.run.snapshot.id).text;
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock(Fragment, null, [
				!unref(isOver)(__props.run.snapshot) ? (openBlock(), createElementBlock("button", {
					key: 0,
					type: "button",
					class: "et-button et-stop",
					disabled: stopping.value || !unref(online),
					onClick: stop
				}, toDisplayString(stopping.value ? "Stopping" : "Stop and keep"), 9, _hoisted_1$32)) : createCommentVNode("", true),
				failure.value ? (openBlock(), createBlock(FailureCard_default, {
					key: 1,
					title: "The run was not stopped",
					text: unref(sentence)(failure.value),
					action: "Try again",
					onAct: stop
				}, null, 8, ["text"])) : createCommentVNode("", true),
				unref(canResume)(__props.run.snapshot) ? (openBlock(), createElementBlock("div", _hoisted_2$29, [
					_cache[0] || (_cache[0] = createBaseVNode("span", null, "To go on where it ended, give its run id to the node:", -1)),
					createBaseVNode("code", null, toDisplayString(__props.run.snapshot.id), 1),
					createBaseVNode("button", {
						type: "button",
						class: "et-button",
						onClick: resume
					}, "Put it into the selected node"),
					hint.value ? (openBlock(), createElementBlock("span", _hoisted_3$25, toDisplayString(hint.value), 1)) : createCommentVNode("", true)
				])) : createCommentVNode("", true)
			], 64);
		};
	}
});
// src/view/ProgressBar.vue
var ProgressBar_default = /* @__PURE__ */ defineComponent({
	__name: "ProgressBar",
	props: { share: {} },
	setup(__props) {
		/** share: 0 to 1; undefined while it is not known how long it takes. */
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("span", { class: normalizeClass(["et-bar", { "et-unknown": __props.share === void 0 }]) }, [createBaseVNode("span", { style: normalizeStyle({ width: `${100 * (__props.share ?? 1)}%` }) }, null, 4)], 2);
		};
	}
});
// src/view/RunList.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$31 = { class: "et-runs" };
var _hoisted_2$28 = [
	"data-run",
	"data-state",
	"aria-pressed",
	"onClick"
];
var _hoisted_3$24 = ["title"];
var _hoisted_4$21 = { class: "et-when" };
var _hoisted_5$20 = { class: "et-state" };
var _hoisted_6$15 = { class: "et-length" };
// src/view/RunList.vue
var RunList_default = /* @__PURE__ */ defineComponent({
	__name: "RunList",
	props: {
		runs: {},
		selected: {}
	},
	emits: ["select"],
	setup(__props) {
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("ul", _hoisted_1$31, [(openBlock(true), createElementBlock(Fragment, null, renderList(__props.runs, (run) => {
				return openBlock(), createElementBlock("li", { key: run.id }, [createBaseVNode("button", {
					type: "button",
					class: "et-run",
					"data-run": run.id,
					"data-state": run.state,
					"aria-pressed": run.id === __props.selected,
					onClick: ($event) => _ctx.$emit("select", run.id)
				}, [
					createBaseVNode("span", {
						class: "et-name",
						title: run.name
					}, toDisplayString(run.name || run.id), 9, _hoisted_3$24),
					createBaseVNode("span", _hoisted_4$21, toDisplayString(unref(when)(run.created)), 1),
					createBaseVNode("span", _hoisted_5$20, toDisplayString(run.state), 1),
					createBaseVNode("span", _hoisted_6$15, toDisplayString(unref(seconds)(run.seconds)), 1),
					run.state === "running" ? (openBlock(), createBlock(ProgressBar_default, {
						key: 0,
						share: unref(share)(run)
					}, null, 8, ["share"])) : createCommentVNode("", true)
				], 8, _hoisted_2$28)]);
			}), 128))]);
		};
	}
});
// src/view/RunStatus.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$30 = { class: "et-about" };
var _hoisted_2$27 = { class: "et-line" };
var _hoisted_3$23 = ["title"];
var _hoisted_4$20 = { class: "et-state" };
var _hoisted_5$19 = { class: "et-line et-progress" };
// src/view/RunStatus.vue
var RunStatus_default = /* @__PURE__ */ defineComponent({
	__name: "RunStatus",
	props: { run: {} },
	setup(__props) {
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("div", _hoisted_1$30, [
				createBaseVNode("p", _hoisted_2$27, [createBaseVNode("span", {
					class: "et-name",
					title: __props.run.snapshot.name
				}, toDisplayString(__props.run.snapshot.name || __props.run.snapshot.id), 9, _hoisted_3$23), createBaseVNode("span", _hoisted_4$20, toDisplayString(__props.run.snapshot.state), 1)]),
				!unref(isOver)(__props.run.snapshot) ? (openBlock(), createBlock(ProgressBar_default, {
					key: 0,
					share: unref(share)(__props.run.snapshot)
				}, null, 8, ["share"])) : createCommentVNode("", true),
				createBaseVNode("p", _hoisted_5$19, [createBaseVNode("span", null, toDisplayString(unref(progress)(__props.run.snapshot)), 1), createBaseVNode("span", null, toDisplayString(unref(speed)(__props.run)), 1)])
			]);
		};
	}
});
// src/view/RunsView.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$29 = {
	class: "et-view",
	role: "tabpanel",
	"aria-labelledby": "et-tab-videos"
};
var _hoisted_2$26 = {
	key: 2,
	class: "et-hint"
};
var _hoisted_3$22 = { key: 4 };
var _hoisted_4$19 = { key: 5 };
// src/view/RunsView.vue
var RunsView_default = /* @__PURE__ */ defineComponent({
	__name: "RunsView",
	setup(__props) {
		const { store } = services();
		const { online, loaded, refused, order, running } = store;
		const chosen = /* @__PURE__ */ ref();
		/** The user's choice; without one, what is being made, else the newest. */
		const selected = computed(() => {
			if (chosen.value !== void 0 && store.runs.has(chosen.value)) return chosen.value;
			return running.value[0] ?? order.value[0];
		});
		const run = computed(() => selected.value ? store.runs.get(selected.value) : void 0);
		const failure = computed(() => run.value && failureOf(run.value.snapshot));
		const list = computed(() => order.value.flatMap((id) => store.runs.get(id)?.snapshot ?? []));
		watch(selected, (id) => id && store.open(id), { immediate: true });
		watch(running, (now, before) => {
			if (now.some((id) => !before.includes(id))) chosen.value = void 0;
		});
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("div", _hoisted_1$29, [
				!unref(online) ? (openBlock(), createBlock(FailureCard_default, {
					key: 0,
					mild: "",
					title: "ComfyUI does not answer",
					text: "The panel goes on by itself when it is back. Finished chunks are kept on disk."
				})) : createCommentVNode("", true),
				unref(refused) ? (openBlock(), createBlock(FailureCard_default, {
					key: 1,
					title: "The runs cannot be listed",
					text: unref(sentence)(unref(refused)),
					action: "Try again",
					onAct: _cache[0] || (_cache[0] = ($event) => unref(store).refresh())
				}, null, 8, ["text"])) : createCommentVNode("", true),
				unref(loaded) && !list.value.length ? (openBlock(), createElementBlock("p", _hoisted_2$26, [..._cache[2] || (_cache[2] = [createBaseVNode("strong", null, "No runs yet", -1), createBaseVNode("span", null, "Open a template of this pack, for example the quick start, and press Run. The video plays here while it is made.", -1)])])) : createCommentVNode("", true),
				run.value ? (openBlock(), createElementBlock(Fragment, { key: 3 }, [
					failure.value ? (openBlock(), createBlock(FailureCard_default, normalizeProps(mergeProps({ key: 0 }, failure.value)), null, 16)) : createCommentVNode("", true),
					createVNode(RunPlayer_default, { run: run.value }, null, 8, ["run"]),
					createVNode(RunStatus_default, { run: run.value }, null, 8, ["run"]),
					createVNode(RunActions_default, { run: run.value }, null, 8, ["run"])
				], 64)) : createCommentVNode("", true),
				list.value.length ? (openBlock(), createElementBlock("section", _hoisted_3$22, [_cache[3] || (_cache[3] = createBaseVNode("h3", null, "Runs", -1)), createVNode(RunList_default, {
					runs: list.value,
					selected: selected.value,
					onSelect: _cache[1] || (_cache[1] = ($event) => chosen.value = $event)
				}, null, 8, ["runs", "selected"])])) : createCommentVNode("", true),
				run.value?.events.length ? (openBlock(), createElementBlock("section", _hoisted_4$19, [_cache[4] || (_cache[4] = createBaseVNode("h3", null, "Events", -1)), createVNode(EventList_default, { events: run.value.events }, null, 8, ["events"])])) : createCommentVNode("", true)
			]);
		};
	}
});
// src/view/ViewSwitch.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$28 = ["aria-label"];
var _hoisted_2$25 = [
	"id",
	"aria-selected",
	"tabindex",
	"onClick"
];
// src/view/ViewSwitch.vue
var ViewSwitch_default = /* @__PURE__ */ defineComponent({
	__name: "ViewSwitch",
	props: /*@__PURE__*/ mergeModels({
		views: {},
		label: {},
		name: {}
	}, {
		"modelValue": { required: true },
		"modelModifiers": {}
	}),
	emits: ["update:modelValue"],
	setup(__props) {
		const shown = useModel(__props, "modelValue");
		const buttons = useTemplateRef("buttons");
		/** Arrow keys, as tabs have them. */
		function step(by) {
			const next = (__props.views.findIndex(({ id }) => id === shown.value) + by + __props.views.length) % __props.views.length;
			shown.value = __props.views[next]?.id ?? shown.value;
			buttons.value?.[next]?.focus();
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("div", {
				class: "et-switch",
				role: "tablist",
				"aria-label": __props.label,
				onKeydown: [_cache[0] || (_cache[0] = withKeys(withModifiers(($event) => step(1), ["prevent"]), ["right"])), _cache[1] || (_cache[1] = withKeys(withModifiers(($event) => step(-1), ["prevent"]), ["left"]))]
			}, [(openBlock(true), createElementBlock(Fragment, null, renderList(__props.views, (view) => {
				return openBlock(), createElementBlock("button", {
					id: `${__props.name}-${view.id}`,
					key: view.id,
					ref_for: true,
					ref_key: "buttons",
					ref: buttons,
					type: "button",
					role: "tab",
					"aria-selected": view.id === shown.value,
					tabindex: view.id === shown.value ? 0 : -1,
					onClick: ($event) => shown.value = view.id
				}, toDisplayString(view.title), 9, _hoisted_2$25);
			}), 128))], 40, _hoisted_1$28);
		};
	}
});
// src/view/training/attempt.ts
function useAttempt() {
	const busy = /* @__PURE__ */ ref(false);
	const problem = /* @__PURE__ */ ref("");
	async function run(work) {
		busy.value = true;
		problem.value = "";
		try {
			await work();
			return true;
		} catch (error) {
			problem.value = error instanceof Away ? "ComfyUI does not answer. Try again when it is back." : sentence(messageOf(error));
			return false;
		} finally {
			busy.value = false;
		}
	}
	return {
		busy,
		problem,
		run
	};
}
// src/view/training/place.ts
var SECTIONS = [
	{
		id: "jobs",
		title: "Fine-tunes"
	},
	{
		id: "datasets",
		title: "Datasets"
	},
	{
		id: "new",
		title: "New"
	}
];
var PLACE = Symbol("echotorrent place");
var rememberedPlace = () => remembered("place", {
	section: "jobs",
	job: "",
	dataset: ""
}, isPlace);
function usePlace() {
	const found = inject(PLACE);
	if (!found) throw new Error("the views of training need their place");
	return found;
}
function isPlace(value) {
	const { section, job, dataset } = value ?? {};
	return SECTIONS.some(({ id }) => id === section) && typeof job === "string" && typeof dataset === "string";
}
// src/view/training/DatasetList.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$27 = { "aria-label": "Datasets" };
var _hoisted_2$24 = ["disabled"];
var _hoisted_3$21 = {
	key: 0,
	class: "et-bad",
	role: "alert"
};
var _hoisted_4$18 = {
	key: 1,
	class: "et-hint"
};
var _hoisted_5$18 = { class: "et-jobs" };
var _hoisted_6$14 = [
	"data-dataset",
	"aria-pressed",
	"onClick"
];
var _hoisted_7$12 = ["title"];
var _hoisted_8$11 = { class: "et-when" };
var _hoisted_9$8 = { class: "et-state" };
var _hoisted_10$6 = { class: "et-length" };
// src/view/training/DatasetList.vue
var DatasetList_default = /* @__PURE__ */ defineComponent({
	__name: "DatasetList",
	emits: ["select"],
	setup(__props, { emit: __emit }) {
		const emit = __emit;
		const { training } = services();
		const { datasets, online } = training;
		const { busy, problem, run } = useAttempt();
		const place = usePlace();
		const name = /* @__PURE__ */ ref("");
		function create() {
			run(async () => {
				const made = await training.client.createDataset(name.value.trim());
				training.putDataset(made);
				name.value = "";
				emit("select", made.id);
			});
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("section", _hoisted_1$27, [
				createBaseVNode("form", {
					class: "et-inline",
					onSubmit: withModifiers(create, ["prevent"])
				}, [withDirectives(createBaseVNode("input", {
					"onUpdate:modelValue": _cache[0] || (_cache[0] = ($event) => name.value = $event),
					class: "et-input",
					"aria-label": "Name of the new dataset",
					placeholder: "Name of a person",
					maxlength: "64",
					required: ""
				}, null, 512), [[vModelText, name.value]]), createBaseVNode("button", {
					type: "submit",
					class: normalizeClass(["et-button", { "et-main": !unref(datasets).length }]),
					disabled: unref(busy) || !unref(online)
				}, "Create", 10, _hoisted_2$24)], 32),
				unref(problem) ? (openBlock(), createElementBlock("p", _hoisted_3$21, toDisplayString(unref(problem)), 1)) : createCommentVNode("", true),
				!unref(datasets).length ? (openBlock(), createElementBlock("p", _hoisted_4$18, [..._cache[1] || (_cache[1] = [createBaseVNode("strong", null, "No datasets yet", -1), createBaseVNode("span", null, "A dataset holds clips of one person: one to twenty videos of a few seconds, with sound, or stills and one video.", -1)])])) : createCommentVNode("", true),
				createBaseVNode("ul", _hoisted_5$18, [(openBlock(true), createElementBlock(Fragment, null, renderList(unref(datasets), (dataset) => {
					return openBlock(), createElementBlock("li", { key: dataset.id }, [createBaseVNode("button", {
						type: "button",
						class: "et-run",
						"data-dataset": dataset.id,
						"aria-pressed": dataset.id === unref(place).dataset,
						onClick: ($event) => _ctx.$emit("select", dataset.id)
					}, [
						createBaseVNode("span", {
							class: "et-name",
							title: dataset.name
						}, toDisplayString(dataset.name), 9, _hoisted_7$12),
						createBaseVNode("span", _hoisted_8$11, toDisplayString(unref(when)(dataset.created)), 1),
						createBaseVNode("span", _hoisted_9$8, toDisplayString(unref(clipsOf)(dataset.clips, dataset.usable)), 1),
						createBaseVNode("span", _hoisted_10$6, toDisplayString(dataset.clips.length ? unref(bytes)(dataset.bytes) : ""), 1)
					], 8, _hoisted_6$14)]);
				}), 128))])
			]);
		};
	}
});
// src/view/training/ClipTrim.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$26 = ["src"];
var _hoisted_2$23 = {
	key: 0,
	class: "et-note"
};
var _hoisted_3$20 = [
	"max",
	"value",
	"aria-valuetext"
];
var _hoisted_4$17 = [
	"max",
	"value",
	"aria-valuetext"
];
var _hoisted_5$17 = {
	key: 2,
	class: "et-line et-progress"
};
var LEAST = .2;
var STEP = .04;
var PAUSE$1 = 400;
// src/view/training/ClipTrim.vue
var ClipTrim_default = /* @__PURE__ */ defineComponent({
	__name: "ClipTrim",
	props: {
		dataset: {},
		clip: {},
		trim: { type: Function }
	},
	setup(__props) {
		const { client } = services().training;
		const video = useTemplateRef("video");
		const length = /* @__PURE__ */ ref(0);
		const begin = /* @__PURE__ */ ref(0);
		const end = /* @__PURE__ */ ref(0);
		const broken = /* @__PURE__ */ ref(false);
		const place = computed(() => ({
			"--begin": begin.value / (length.value || 1),
			"--end": end.value / (length.value || 1)
		}));
		let timer;
		let moved = 0;
		watch([
			() => __props.clip.begin,
			() => __props.clip.end,
			length
		], () => moved || show(), { immediate: true });
		onBeforeUnmount(() => {
			if (timer !== void 0) save();
		});
		function show() {
			begin.value = __props.clip.begin;
			end.value = __props.clip.end ?? length.value;
		}
		function measured() {
			const found = video.value?.duration ?? NaN;
			if (Number.isFinite(found)) length.value = found;
			if (video.value) video.value.currentTime = begin.value;
		}
		function unplayable() {
			broken.value = true;
			length.value ||= Math.max(__props.clip.end ?? 0, __props.clip.begin + (__props.clip.verdict?.seconds ?? 0));
		}
		/** Shows where the slider is while it moves. */
		function slide(which, event) {
			moved += 1;
			clearTimeout(timer);
			const input = event.target;
			const value = Number(input.value);
			if (which === "begin") begin.value = Math.max(0, Math.min(value, end.value - LEAST));
			else end.value = Math.min(length.value, Math.max(value, begin.value + LEAST));
			const now = which === "begin" ? begin.value : end.value;
			input.value = String(now);
			video.value?.pause();
			if (video.value) video.value.currentTime = now;
		}
		function saveSoon() {
			clearTimeout(timer);
			timer = setTimeout(() => void save(), PAUSE$1);
		}
		async function save() {
			clearTimeout(timer);
			timer = void 0;
			const now = moved;
			const whole = end.value >= length.value - STEP;
			await __props.trim(round(begin.value), whole ? null : round(end.value));
			if (moved !== now) return;
			moved = 0;
			show();
		}
		/** Plays only the part that is used. */
		function played() {
			const it = video.value;
			if (!it || it.paused) return;
			if (it.currentTime >= end.value - .01) {
				it.pause();
				it.currentTime = begin.value;
			} else if (it.currentTime < begin.value - STEP) it.currentTime = begin.value;
		}
		const round = (value) => Math.round(value * 1e3) / 1e3;
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock(Fragment, null, [
				createBaseVNode("video", {
					ref_key: "video",
					ref: video,
					src: unref(client).clipUrl(__props.dataset.id, __props.clip),
					controls: "",
					playsinline: "",
					preload: "metadata",
					onLoadedmetadata: measured,
					onTimeupdate: played,
					onError: unplayable
				}, null, 40, _hoisted_1$26),
				broken.value ? (openBlock(), createElementBlock("p", _hoisted_2$23, "This browser cannot play the clip; it can be trained on all the same.")) : createCommentVNode("", true),
				length.value ? (openBlock(), createElementBlock("div", {
					key: 1,
					class: "et-trim",
					style: normalizeStyle(place.value)
				}, [
					_cache[2] || (_cache[2] = createBaseVNode("span", { class: "et-track" }, null, -1)),
					createBaseVNode("input", {
						type: "range",
						min: "0",
						max: length.value,
						step: STEP,
						value: begin.value,
						"aria-label": "Begin",
						"aria-valuetext": unref(seconds)(begin.value),
						onInput: _cache[0] || (_cache[0] = ($event) => slide("begin", $event)),
						onChange: saveSoon
					}, null, 40, _hoisted_3$20),
					createBaseVNode("input", {
						type: "range",
						min: "0",
						max: length.value,
						step: STEP,
						value: end.value,
						"aria-label": "End",
						"aria-valuetext": unref(seconds)(end.value),
						onInput: _cache[1] || (_cache[1] = ($event) => slide("end", $event)),
						onChange: saveSoon
					}, null, 40, _hoisted_4$17)
				], 4)) : createCommentVNode("", true),
				length.value ? (openBlock(), createElementBlock("p", _hoisted_5$17, [createBaseVNode("span", null, toDisplayString(unref(seconds)(begin.value)) + " to " + toDisplayString(unref(seconds)(end.value)), 1), createBaseVNode("span", null, toDisplayString(unref(seconds)(end.value - begin.value)) + " used", 1)])) : createCommentVNode("", true)
			], 64);
		};
	}
});
// src/view/training/ConfirmButton.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$25 = ["disabled"];
var _hoisted_2$22 = ["aria-label", "onKeydown"];
var _hoisted_3$19 = ["disabled"];
// src/view/training/ConfirmButton.vue
var ConfirmButton_default = /* @__PURE__ */ defineComponent({
	inheritAttrs: false,
	__name: "ConfirmButton",
	props: {
		label: {},
		question: {},
		disabled: { type: Boolean }
	},
	emits: ["confirm"],
	setup(__props, { emit: __emit }) {
		const emit = __emit;
		const asking = /* @__PURE__ */ ref(false);
		const first = useTemplateRef("first");
		const again = useTemplateRef("again");
		async function ask() {
			asking.value = true;
			await nextTick();
			again.value?.focus();
		}
		async function leave() {
			asking.value = false;
			await nextTick();
			first.value?.focus();
		}
		function confirm() {
			asking.value = false;
			emit("confirm");
		}
		return (_ctx, _cache) => {
			return !asking.value ? (openBlock(), createElementBlock("button", mergeProps({
				key: 0,
				ref_key: "first",
				ref: first
			}, _ctx.$attrs, {
				type: "button",
				class: "et-button",
				disabled: __props.disabled,
				onClick: ask
			}), toDisplayString(__props.label), 17, _hoisted_1$25)) : (openBlock(), createElementBlock("span", {
				key: 1,
				class: "et-confirm",
				role: "alertdialog",
				"aria-label": __props.question,
				onKeydown: withKeys(withModifiers(leave, ["stop"]), ["esc"])
			}, [
				createBaseVNode("span", null, toDisplayString(__props.question), 1),
				createBaseVNode("button", {
					type: "button",
					class: "et-button et-danger",
					disabled: __props.disabled,
					onClick: confirm
				}, toDisplayString(__props.label), 9, _hoisted_3$19),
				createBaseVNode("button", {
					ref_key: "again",
					ref: again,
					type: "button",
					class: "et-button",
					onClick: leave
				}, "Keep", 512)
			], 40, _hoisted_2$22));
		};
	}
});
// src/view/training/ClipCard.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$24 = ["data-clip", "data-used"];
var _hoisted_2$21 = ["aria-expanded", "aria-label"];
var _hoisted_3$18 = ["src"];
var _hoisted_4$16 = ["src"];
var _hoisted_5$16 = {
	key: 2,
	class: "pi pi-video",
	"aria-hidden": "true"
};
var _hoisted_6$13 = { class: "et-clip-about" };
var _hoisted_7$11 = { class: "et-line" };
var _hoisted_8$10 = ["title"];
var _hoisted_9$7 = { class: "et-when" };
var _hoisted_10$5 = { class: "et-line" };
var _hoisted_11$5 = ["data-kind"];
var _hoisted_12$3 = ["checked", "aria-label"];
var _hoisted_13$3 = {
	key: 0,
	class: "et-help"
};
var _hoisted_14$2 = {
	key: 1,
	class: "et-help et-short-line"
};
var _hoisted_15$1 = {
	key: 0,
	class: "et-clip-edit"
};
var _hoisted_16$1 = ["src", "alt"];
var _hoisted_17$1 = { class: "et-field" };
var _hoisted_18$1 = ["value"];
var _hoisted_19$1 = { class: "et-buttons" };
var _hoisted_20$1 = {
	key: 1,
	class: "et-bad",
	role: "alert"
};
// src/view/training/ClipCard.vue
var ClipCard_default = /* @__PURE__ */ defineComponent({
	__name: "ClipCard",
	props: {
		dataset: {},
		clip: {},
		open: { type: Boolean }
	},
	emits: ["toggle"],
	setup(__props) {
		const { training } = services();
		const { client } = training;
		const { problem, run } = useAttempt();
		const kind = computed(() => __props.clip.verdict ? __props.clip.verdict.usable ? "good" : "bad" : "unknown");
		const length = computed(() => {
			if (__props.clip.kind === "still") return "still";
			const whole = __props.clip.end ?? __props.clip.verdict?.seconds;
			if (__props.clip.end !== null || __props.clip.begin) return `${seconds(__props.clip.begin)} to ${__props.clip.end === null ? "end" : seconds(__props.clip.end)}`;
			return typeof whole === "number" ? seconds(whole) : "";
		});
		function change(what) {
			return run(async () => training.putClip(__props.dataset.id, await client.changeClip(__props.dataset.id, __props.clip.file, what)));
		}
		function remove() {
			run(async () => training.putDataset(await client.deleteClip(__props.dataset.id, __props.clip.file)));
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("li", {
				class: "et-clip",
				"data-clip": __props.clip.file,
				"data-used": __props.clip.use
			}, [
				createBaseVNode("button", {
					type: "button",
					class: "et-thumb",
					"aria-expanded": __props.open,
					"aria-label": `${__props.open ? "Close" : "Edit"} ${__props.clip.file}`,
					onClick: _cache[0] || (_cache[0] = ($event) => _ctx.$emit("toggle"))
				}, [__props.clip.thumbnail ? (openBlock(), createElementBlock("img", {
					key: 0,
					src: unref(client).thumbnailUrl(__props.dataset.id, __props.clip),
					alt: "",
					loading: "lazy"
				}, null, 8, _hoisted_3$18)) : __props.clip.kind === "still" ? (openBlock(), createElementBlock("img", {
					key: 1,
					src: unref(client).clipUrl(__props.dataset.id, __props.clip),
					alt: "",
					loading: "lazy"
				}, null, 8, _hoisted_4$16)) : (openBlock(), createElementBlock("span", _hoisted_5$16))], 8, _hoisted_2$21),
				createBaseVNode("div", _hoisted_6$13, [
					createBaseVNode("span", _hoisted_7$11, [createBaseVNode("span", {
						class: "et-name",
						title: __props.clip.file
					}, toDisplayString(__props.clip.file), 9, _hoisted_8$10), createBaseVNode("span", _hoisted_9$7, toDisplayString(length.value), 1)]),
					createBaseVNode("span", _hoisted_10$5, [createBaseVNode("span", {
						class: "et-badge",
						"data-kind": kind.value
					}, toDisplayString(unref(badgeOf)(__props.clip.verdict)), 9, _hoisted_11$5), createBaseVNode("label", null, [createBaseVNode("input", {
						type: "checkbox",
						checked: __props.clip.use,
						"aria-label": `Use ${__props.clip.file}`,
						onChange: _cache[1] || (_cache[1] = ($event) => change({ use: $event.target.checked }))
					}, null, 40, _hoisted_12$3), _cache[3] || (_cache[3] = createTextVNode(" use", -1))])]),
					__props.clip.verdict?.sentence ? (openBlock(), createElementBlock("span", _hoisted_13$3, toDisplayString(unref(sentence)(__props.clip.verdict.sentence)), 1)) : __props.clip.caption && !__props.open ? (openBlock(), createElementBlock("span", _hoisted_14$2, toDisplayString(__props.clip.caption), 1)) : createCommentVNode("", true)
				]),
				__props.open ? (openBlock(), createElementBlock("div", _hoisted_15$1, [
					__props.clip.kind === "video" ? (openBlock(), createBlock(ClipTrim_default, {
						key: 0,
						dataset: __props.dataset,
						clip: __props.clip,
						trim: (begin, end) => change({
							begin,
							end
						})
					}, null, 8, [
						"dataset",
						"clip",
						"trim"
					])) : (openBlock(), createElementBlock("img", {
						key: 1,
						src: unref(client).clipUrl(__props.dataset.id, __props.clip),
						alt: __props.clip.file
					}, null, 8, _hoisted_16$1)),
					createBaseVNode("label", _hoisted_17$1, [_cache[4] || (_cache[4] = createTextVNode(" Caption ", -1)), createBaseVNode("textarea", {
						class: "et-input",
						rows: "2",
						maxlength: "1000",
						placeholder: "What is to be seen and heard",
						value: __props.clip.caption,
						onChange: _cache[2] || (_cache[2] = ($event) => change({ caption: $event.target.value }))
					}, null, 40, _hoisted_18$1)]),
					createBaseVNode("div", _hoisted_19$1, [createVNode(ConfirmButton_default, {
						label: "Remove",
						question: `Remove ${__props.clip.file}?`,
						disabled: __props.dataset.busy,
						onConfirm: remove
					}, null, 8, ["question", "disabled"])])
				])) : createCommentVNode("", true),
				unref(problem) ? (openBlock(), createElementBlock("p", _hoisted_20$1, toDisplayString(unref(problem)), 1)) : createCommentVNode("", true)
			], 8, _hoisted_1$24);
		};
	}
});
// src/view/training/DetailHead.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$23 = { class: "et-detail-head" };
var _hoisted_2$20 = ["disabled"];
var _hoisted_3$17 = {
	key: 1,
	class: "et-line"
};
var _hoisted_4$15 = ["title"];
var _hoisted_5$15 = {
	key: 2,
	class: "et-bad",
	role: "alert"
};
// src/view/training/DetailHead.vue
var DetailHead_default = /* @__PURE__ */ defineComponent({
	__name: "DetailHead",
	props: {
		back: {},
		name: {},
		rename: { type: Function }
	},
	emits: ["close"],
	setup(__props) {
		const { busy, problem, run } = useAttempt();
		const editing = /* @__PURE__ */ ref(false);
		const text = /* @__PURE__ */ ref("");
		const input = useTemplateRef("input");
		async function edit() {
			text.value = __props.name;
			problem.value = "";
			editing.value = true;
			await nextTick();
			input.value?.select();
		}
		async function save() {
			if (text.value.trim() === __props.name || await run(() => __props.rename(text.value.trim()))) editing.value = false;
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("header", _hoisted_1$23, [
				createBaseVNode("button", {
					type: "button",
					class: "et-button et-back",
					onClick: _cache[0] || (_cache[0] = ($event) => _ctx.$emit("close"))
				}, toDisplayString(__props.back), 1),
				editing.value ? (openBlock(), createElementBlock("form", {
					key: 0,
					class: "et-inline",
					onSubmit: withModifiers(save, ["prevent"]),
					onKeydown: _cache[3] || (_cache[3] = withKeys(withModifiers(($event) => editing.value = false, ["stop"]), ["esc"]))
				}, [
					withDirectives(createBaseVNode("input", {
						ref_key: "input",
						ref: input,
						"onUpdate:modelValue": _cache[1] || (_cache[1] = ($event) => text.value = $event),
						class: "et-input",
						"aria-label": "Name",
						maxlength: "64",
						required: ""
					}, null, 512), [[vModelText, text.value]]),
					createBaseVNode("button", {
						type: "submit",
						class: "et-button",
						disabled: unref(busy)
					}, "Save", 8, _hoisted_2$20),
					createBaseVNode("button", {
						type: "button",
						class: "et-button",
						onClick: _cache[2] || (_cache[2] = ($event) => editing.value = false)
					}, "Keep")
				], 32)) : (openBlock(), createElementBlock("div", _hoisted_3$17, [createBaseVNode("h3", {
					class: "et-name",
					title: __props.name
				}, toDisplayString(__props.name), 9, _hoisted_4$15), createBaseVNode("button", {
					type: "button",
					class: "et-link",
					onClick: edit
				}, "Rename")])),
				unref(problem) ? (openBlock(), createElementBlock("p", _hoisted_5$15, toDisplayString(unref(problem)), 1)) : createCommentVNode("", true)
			]);
		};
	}
});
// src/view/training/draft.ts
var isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
function isDraft(value) {
	if (!isObject(value) || !isObject(value["values"])) return false;
	const texts = [
		"name",
		"preset",
		"dataset",
		"device"
	].every((key) => typeof value[key] === "string");
	const settings = Object.values(value["values"]);
	return texts && settings.every((one) => isObject(one) && Object.values(one).every((it) => ["string", "boolean"].includes(typeof it)));
}
var draft;
/** One for the whole page, so that other views can fill in a dataset. */
function rememberedDraft() {
	draft ??= remembered("draft", {
		name: "",
		preset: "",
		dataset: "",
		device: "",
		values: {}
	}, isDraft);
	return draft;
}
// src/view/training/UploadBox.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$22 = ["accept"];
var _hoisted_2$19 = {
	key: 0,
	class: "et-uploads",
	"aria-label": "Uploads"
};
var _hoisted_3$16 = ["data-upload"];
var _hoisted_4$14 = { class: "et-line" };
var _hoisted_5$14 = ["title"];
var _hoisted_6$12 = {
	key: 0,
	class: "et-when"
};
var _hoisted_7$10 = ["aria-label", "onClick"];
var _hoisted_8$9 = {
	key: 1,
	class: "et-bad et-wrap",
	role: "alert"
};
// src/view/training/UploadBox.vue
var UploadBox_default = /* @__PURE__ */ defineComponent({
	__name: "UploadBox",
	props: { dataset: {} },
	setup(__props) {
		const { training } = services();
		const { options } = training;
		const uploads = computed(() => training.uploadsTo(__props.dataset.id));
		const input = useTemplateRef("input");
		const over = /* @__PURE__ */ ref(false);
		function chosen() {
			uploads.value.add(input.value?.files ?? []);
			if (input.value) input.value.value = "";
		}
		function dropped(event) {
			over.value = false;
			uploads.value.add(event.dataTransfer?.files ?? []);
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock(Fragment, null, [createBaseVNode("div", {
				class: normalizeClass(["et-drop", { "et-over": over.value }]),
				onDragenter: _cache[1] || (_cache[1] = withModifiers(($event) => over.value = true, ["prevent", "stop"])),
				onDragover: _cache[2] || (_cache[2] = withModifiers(($event) => over.value = true, ["prevent", "stop"])),
				onDragleave: _cache[3] || (_cache[3] = ($event) => over.value = false),
				onDrop: withModifiers(dropped, ["prevent", "stop"])
			}, [
				_cache[4] || (_cache[4] = createBaseVNode("span", null, "Drop clips here", -1)),
				createBaseVNode("button", {
					type: "button",
					class: "et-button",
					onClick: _cache[0] || (_cache[0] = ($event) => input.value?.click())
				}, "Choose files"),
				createBaseVNode("input", {
					ref_key: "input",
					ref: input,
					type: "file",
					multiple: "",
					hidden: "",
					accept: unref(options)?.media.join(),
					"aria-label": "Clips",
					onChange: chosen
				}, null, 40, _hoisted_1$22)
			], 34), uploads.value.list.length ? (openBlock(), createElementBlock("ul", _hoisted_2$19, [(openBlock(true), createElementBlock(Fragment, null, renderList(uploads.value.list, (upload) => {
				return openBlock(), createElementBlock("li", {
					key: upload.name,
					"data-upload": upload.state
				}, [
					createBaseVNode("span", _hoisted_4$14, [
						createBaseVNode("span", {
							class: "et-name",
							title: upload.name
						}, toDisplayString(upload.name), 9, _hoisted_5$14),
						upload.state !== "refused" ? (openBlock(), createElementBlock("span", _hoisted_6$12, toDisplayString(upload.state === "sending" ? `${Math.round(100 * upload.share)} %` : "waiting"), 1)) : createCommentVNode("", true),
						createBaseVNode("button", {
							type: "button",
							class: "et-link",
							"aria-label": `${upload.state === "refused" ? "Dismiss" : "Cancel"} ${upload.name}`,
							onClick: ($event) => uploads.value.drop(upload)
						}, toDisplayString(upload.state === "refused" ? "Dismiss" : "Cancel"), 9, _hoisted_7$10)
					]),
					upload.state === "sending" ? (openBlock(), createBlock(ProgressBar_default, {
						key: 0,
						share: upload.share
					}, null, 8, ["share"])) : createCommentVNode("", true),
					upload.problem ? (openBlock(), createElementBlock("p", _hoisted_8$9, toDisplayString(unref(sentence)(upload.problem)), 1)) : createCommentVNode("", true)
				], 8, _hoisted_3$16);
			}), 128))])) : createCommentVNode("", true)], 64);
		};
	}
});
// src/view/training/DatasetView.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$21 = ["aria-label"];
var _hoisted_2$18 = {
	class: "et-buttons",
	role: "group",
	"aria-label": "What to do with it"
};
var _hoisted_3$15 = ["disabled"];
var _hoisted_4$13 = ["disabled"];
var _hoisted_5$13 = {
	key: 0,
	class: "et-note"
};
var _hoisted_6$11 = {
	key: 4,
	class: "et-note",
	role: "status"
};
var _hoisted_7$9 = {
	key: 5,
	class: "et-clips",
	"aria-label": "Clips"
};
// src/view/training/DatasetView.vue
var DatasetView_default = /* @__PURE__ */ defineComponent({
	__name: "DatasetView",
	props: { dataset: {} },
	emits: ["close"],
	setup(__props) {
		const { training } = services();
		const { client, online } = training;
		const { busy, problem, run } = useAttempt();
		const place = usePlace();
		const draft = rememberedDraft();
		const opened = /* @__PURE__ */ ref("");
		const checking = computed(() => training.checking(__props.dataset.id));
		const unseen = computed(() => __props.dataset.clips.filter(({ verdict }) => !verdict).length);
		/** The last look, if it failed. */
		const failed = computed(() => {
			const last = training.jobs.value.find(({ kind, dataset: of }) => kind === "check" && of === __props.dataset.id);
			return last?.state === "failed" ? last.reason || "the server does not say why" : "";
		});
		async function rename(name) {
			training.putDataset(await client.renameDataset(__props.dataset.id, name));
		}
		function fineTune() {
			draft.value.dataset = __props.dataset.id;
			if (!draft.value.name) draft.value.name = __props.dataset.name;
			place.value = {
				...place.value,
				section: "new"
			};
		}
		function remove() {
			run(async () => {
				await client.deleteDataset(__props.dataset.id);
				training.dropDataset(__props.dataset.id);
			});
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("article", { "aria-label": `Dataset ${__props.dataset.name}` }, [
				createVNode(DetailHead_default, {
					back: "All datasets",
					name: __props.dataset.name,
					rename,
					onClose: _cache[0] || (_cache[0] = ($event) => _ctx.$emit("close"))
				}, null, 8, ["name"]),
				createBaseVNode("div", _hoisted_2$18, [
					createBaseVNode("button", {
						type: "button",
						class: "et-button et-main",
						disabled: !__props.dataset.usable,
						onClick: fineTune
					}, "Fine-tune", 8, _hoisted_3$15),
					__props.dataset.clips.length ? (openBlock(), createElementBlock("button", {
						key: 0,
						type: "button",
						class: "et-button",
						disabled: !unref(online) || checking.value !== void 0,
						title: "Finds the face in each clip and measures light, sound and length.",
						onClick: _cache[1] || (_cache[1] = ($event) => unref(training).check(__props.dataset.id))
					}, toDisplayString(checking.value ? "Looking" : "Look at the clips"), 9, _hoisted_4$13)) : createCommentVNode("", true),
					createVNode(ConfirmButton_default, {
						label: "Delete",
						question: "Delete it with its clips?",
						disabled: unref(busy) || !unref(online) || __props.dataset.busy,
						onConfirm: remove
					}, null, 8, ["disabled"])
				]),
				__props.dataset.busy && !checking.value ? (openBlock(), createElementBlock("p", _hoisted_5$13, "A fine-tune uses it: its clips stay until that is over.")) : createCommentVNode("", true),
				unref(problem) ? (openBlock(), createBlock(FailureCard_default, {
					key: 1,
					title: "That was refused",
					text: unref(problem)
				}, null, 8, ["text"])) : createCommentVNode("", true),
				failed.value && !checking.value ? (openBlock(), createBlock(FailureCard_default, {
					key: 2,
					title: "The clips could not be looked at",
					text: failed.value,
					action: "Try again",
					onAct: _cache[2] || (_cache[2] = ($event) => unref(training).check(__props.dataset.id))
				}, null, 8, ["text"])) : createCommentVNode("", true),
				checking.value ? (openBlock(), createBlock(ProgressBar_default, {
					key: 3,
					share: unref(shareOf)(checking.value)
				}, null, 8, ["share"])) : createCommentVNode("", true),
				checking.value || unseen.value ? (openBlock(), createElementBlock("p", _hoisted_6$11, toDisplayString(checking.value ? "Looking at the clips" : unseen.value === 1 ? "One clip was not looked at yet." : `${unseen.value} clips were not looked at yet.`), 1)) : createCommentVNode("", true),
				createVNode(UploadBox_default, { dataset: __props.dataset }, null, 8, ["dataset"]),
				__props.dataset.clips.length ? (openBlock(), createElementBlock("ul", _hoisted_7$9, [(openBlock(true), createElementBlock(Fragment, null, renderList(__props.dataset.clips, (clip) => {
					return openBlock(), createBlock(ClipCard_default, {
						key: clip.file,
						dataset: __props.dataset,
						clip,
						open: opened.value === clip.file,
						onToggle: ($event) => opened.value = opened.value === clip.file ? "" : clip.file
					}, null, 8, [
						"dataset",
						"clip",
						"open",
						"onToggle"
					]);
				}), 128))])) : createCommentVNode("", true)
			], 8, _hoisted_1$21);
		};
	}
});
// src/view/training/JobList.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$20 = { "aria-label": "Fine-tunes" };
var _hoisted_2$17 = {
	key: 0,
	class: "et-hint"
};
var _hoisted_3$14 = { class: "et-buttons" };
var _hoisted_4$12 = {
	key: 1,
	class: "et-jobs"
};
var _hoisted_5$12 = [
	"data-job",
	"data-state",
	"aria-pressed",
	"onClick"
];
var _hoisted_6$10 = ["title"];
var _hoisted_7$8 = { class: "et-when" };
var _hoisted_8$8 = { class: "et-state" };
var _hoisted_9$6 = { class: "et-length" };
// src/view/training/JobList.vue
var JobList_default = /* @__PURE__ */ defineComponent({
	__name: "JobList",
	emits: ["select"],
	setup(__props) {
		const { training } = services();
		const { fineTunes } = training;
		const place = usePlace();
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("section", _hoisted_1$20, [!unref(fineTunes).length ? (openBlock(), createElementBlock("div", _hoisted_2$17, [
				_cache[2] || (_cache[2] = createBaseVNode("strong", null, "No fine-tunes yet", -1)),
				_cache[3] || (_cache[3] = createBaseVNode("span", null, "Teach the model a person: put some clips into a dataset, then start a fine-tune on it.", -1)),
				createBaseVNode("span", _hoisted_3$14, [createBaseVNode("button", {
					type: "button",
					class: "et-button",
					onClick: _cache[0] || (_cache[0] = ($event) => unref(place).section = "datasets")
				}, "Make a dataset"), createBaseVNode("button", {
					type: "button",
					class: "et-button et-main",
					onClick: _cache[1] || (_cache[1] = ($event) => unref(place).section = "new")
				}, "New fine-tune")])
			])) : (openBlock(), createElementBlock("ul", _hoisted_4$12, [(openBlock(true), createElementBlock(Fragment, null, renderList(unref(fineTunes), (job) => {
				return openBlock(), createElementBlock("li", { key: job.id }, [createBaseVNode("button", {
					type: "button",
					class: "et-run",
					"data-job": job.id,
					"data-state": job.state,
					"aria-pressed": job.id === unref(place).job,
					onClick: ($event) => _ctx.$emit("select", job.id)
				}, [
					createBaseVNode("span", {
						class: "et-name",
						title: job.name
					}, toDisplayString(job.name), 9, _hoisted_6$10),
					createBaseVNode("span", _hoisted_7$8, toDisplayString(unref(leftOf)(job) || unref(when)(job.created)), 1),
					createBaseVNode("span", _hoisted_8$8, toDisplayString(unref(stateOf)(job)), 1),
					createBaseVNode("span", _hoisted_9$6, toDisplayString(unref(stepsOf)(job)), 1),
					[
						"queued",
						"starting",
						"running",
						"paused"
					].includes(job.state) && job.total ? (openBlock(), createBlock(ProgressBar_default, {
						key: 0,
						share: unref(shareOf)(job)
					}, null, 8, ["share"])) : createCommentVNode("", true)
				], 8, _hoisted_5$12)]);
			}), 128))]))]);
		};
	}
});
// src/view/training/CompareForm.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$19 = {
	key: 0,
	class: "et-note"
};
var _hoisted_2$16 = ["value"];
var _hoisted_3$13 = ["max"];
var _hoisted_4$11 = ["disabled"];
var _hoisted_5$11 = {
	key: 2,
	class: "et-bad",
	role: "alert"
};
var MOST = 4;
// src/view/training/CompareForm.vue
var CompareForm_default = /* @__PURE__ */ defineComponent({
	__name: "CompareForm",
	props: {
		job: {},
		ticked: {}
	},
	setup(__props) {
		const { training } = services();
		const { busy, problem, run } = useAttempt();
		const clip = /* @__PURE__ */ ref("");
		const seconds = /* @__PURE__ */ ref(4);
		const clips = computed(() => (__props.job.dataset && training.findDataset(__props.job.dataset)?.clips || []).filter(({ kind }) => kind === "video"));
		const hint = computed(() => {
			if (__props.ticked.length < 2) return "Tick two checkpoints to see them beside each other with the same sound.";
			return __props.ticked.length > MOST ? `Tick at most ${MOST}.` : "";
		});
		function compare() {
			run(async () => {
				training.putJob(await training.client.compare(__props.job.id, __props.ticked, seconds.value, clip.value));
				training.refresh();
			});
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock(Fragment, null, [hint.value ? (openBlock(), createElementBlock("p", _hoisted_1$19, toDisplayString(hint.value), 1)) : (openBlock(), createElementBlock("form", {
				key: 1,
				class: "et-inline",
				"aria-label": "Compare",
				onSubmit: withModifiers(compare, ["prevent"])
			}, [
				withDirectives(createBaseVNode("select", {
					"onUpdate:modelValue": _cache[0] || (_cache[0] = ($event) => clip.value = $event),
					class: "et-input",
					"aria-label": "Sound"
				}, [_cache[2] || (_cache[2] = createBaseVNode("option", { value: "" }, "Speech of the pack", -1)), (openBlock(true), createElementBlock(Fragment, null, renderList(clips.value, ({ file }) => {
					return openBlock(), createElementBlock("option", {
						key: file,
						value: file
					}, toDisplayString(file), 9, _hoisted_2$16);
				}), 128))], 512), [[vModelSelect, clip.value]]),
				createBaseVNode("label", null, [withDirectives(createBaseVNode("input", {
					"onUpdate:modelValue": _cache[1] || (_cache[1] = ($event) => seconds.value = $event),
					class: "et-input et-short",
					type: "number",
					min: "1",
					max: unref(training).options.value?.limits.seconds ?? 60,
					"aria-label": "Seconds",
					required: ""
				}, null, 8, _hoisted_3$13), [[
					vModelText,
					seconds.value,
					void 0,
					{ number: true }
				]]), _cache[3] || (_cache[3] = createTextVNode(" s ", -1))]),
				createBaseVNode("button", {
					type: "submit",
					class: "et-button et-main",
					disabled: unref(busy)
				}, "Compare " + toDisplayString(__props.ticked.length), 9, _hoisted_4$11)
			], 32)), unref(problem) ? (openBlock(), createElementBlock("p", _hoisted_5$11, toDisplayString(unref(problem)), 1)) : createCommentVNode("", true)], 64);
		};
	}
});
// src/training/together.ts
/** Plays several videos of one length as one: the first leads, the others follow it. */
var DRIFT = .06;
var CATCH_UP = .5;
var Together = class {
	videos = [];
	/** The one that is heard. */
	heard = 0;
	set(videos) {
		this.videos = videos;
		this.listen(Math.min(this.heard, Math.max(0, videos.length - 1)));
	}
	get leader() {
		return this.videos[0];
	}
	/** Of the shortest, in seconds; 0 while it is not known. */
	get length() {
		const all = this.videos.map(({ duration }) => duration);
		return all.length && all.every(Number.isFinite) ? Math.min(...all) : 0;
	}
	async play() {
		if (this.leader && this.leader.currentTime >= this.length - .05) this.seek(0);
		this.follow();
		await Promise.all(this.videos.map((video) => video.play()));
	}
	pause() {
		for (const video of this.videos) {
			video.pause();
			video.playbackRate = 1;
		}
		this.seek(this.leader?.currentTime ?? 0);
	}
	seek(time) {
		for (const video of this.videos) video.currentTime = time;
	}
	/** Only one speaks: they say the same. */
	listen(index) {
		this.heard = index;
		this.videos.forEach((video, i) => video.muted = i !== index);
	}
	/** Brings those back that ran away; to be called a few times a second. */
	follow() {
		const { leader } = this;
		if (!leader) return;
		for (const video of this.videos.slice(1)) {
			const behind = leader.currentTime - video.currentTime;
			if (Math.abs(behind) > CATCH_UP) video.currentTime = leader.currentTime;
			video.playbackRate = Math.abs(behind) < DRIFT || Math.abs(behind) > CATCH_UP ? 1 : behind > 0 ? 1.1 : .9;
		}
	}
};
// src/view/training/SideBySide.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$18 = { class: "et-beside" };
var _hoisted_2$15 = ["src"];
var _hoisted_3$12 = { class: "et-line" };
var _hoisted_4$10 = { class: "et-name" };
var _hoisted_5$10 = [
	"aria-pressed",
	"aria-label",
	"onClick"
];
var _hoisted_6$9 = {
	class: "et-steps",
	role: "group",
	"aria-label": "Play them together"
};
var _hoisted_7$7 = [
	"max",
	"value",
	"aria-valuetext"
];
var _hoisted_8$7 = { class: "et-when" };
// src/view/training/SideBySide.vue
var SideBySide_default = /* @__PURE__ */ defineComponent({
	__name: "SideBySide",
	props: { videos: {} },
	setup(__props) {
		const elements = useTemplateRef("elements");
		const together = new Together();
		const playing = /* @__PURE__ */ ref(false);
		const time = /* @__PURE__ */ ref(0);
		const length = /* @__PURE__ */ ref(0);
		const heard = /* @__PURE__ */ ref(0);
		let frame = 0;
		onMounted(() => watch(() => __props.videos, gather, {
			immediate: true,
			flush: "post"
		}));
		onBeforeUnmount(() => cancelAnimationFrame(frame));
		function gather() {
			together.set(elements.value ?? []);
			together.listen(heard.value);
		}
		function measured() {
			length.value = together.length;
		}
		async function toggle() {
			if (playing.value) return stop();
			playing.value = true;
			try {
				await together.play();
				tick();
			} catch {
				stop();
			}
		}
		function stop() {
			playing.value = false;
			cancelAnimationFrame(frame);
			together.pause();
		}
		function tick() {
			time.value = together.leader?.currentTime ?? 0;
			if (elements.value?.some(({ ended, paused }) => ended || paused)) return stop();
			together.follow();
			frame = requestAnimationFrame(tick);
		}
		function seek(event) {
			time.value = Number(event.target.value);
			together.seek(time.value);
		}
		function listen(index) {
			heard.value = index;
			together.listen(index);
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock(Fragment, null, [createBaseVNode("div", _hoisted_1$18, [(openBlock(true), createElementBlock(Fragment, null, renderList(__props.videos, ({ title, url }, i) => {
				return openBlock(), createElementBlock("figure", { key: url }, [createBaseVNode("video", {
					ref_for: true,
					ref_key: "elements",
					ref: elements,
					src: url,
					playsinline: "",
					preload: "auto",
					onLoadedmetadata: measured,
					onClick: toggle
				}, null, 40, _hoisted_2$15), createBaseVNode("figcaption", _hoisted_3$12, [createBaseVNode("span", _hoisted_4$10, toDisplayString(title), 1), createBaseVNode("button", {
					type: "button",
					class: "et-link",
					"aria-pressed": heard.value === i,
					"aria-label": `Hear ${title}`,
					onClick: ($event) => listen(i)
				}, toDisplayString(heard.value === i ? "heard" : "hear"), 9, _hoisted_5$10)])]);
			}), 128))]), createBaseVNode("div", _hoisted_6$9, [
				createBaseVNode("button", {
					type: "button",
					class: "et-button",
					onClick: toggle
				}, toDisplayString(playing.value ? "Pause" : "Play"), 1),
				createBaseVNode("input", {
					type: "range",
					min: "0",
					max: length.value || 1,
					step: "0.02",
					value: time.value,
					"aria-label": "Time",
					"aria-valuetext": unref(seconds)(time.value),
					onInput: seek
				}, null, 40, _hoisted_7$7),
				createBaseVNode("span", _hoisted_8$7, toDisplayString(unref(seconds)(time.value)), 1)
			])], 64);
		};
	}
});
// src/view/training/ComparisonView.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$17 = ["data-comparison"];
var _hoisted_2$14 = { class: "et-line" };
var _hoisted_3$11 = ["value"];
var _hoisted_4$9 = {
	key: 1,
	class: "et-when"
};
var _hoisted_5$9 = {
	key: 2,
	class: "et-state",
	role: "status"
};
var _hoisted_6$8 = {
	key: 3,
	class: "et-bad",
	role: "alert"
};
// src/view/training/ComparisonView.vue
var ComparisonView_default = /* @__PURE__ */ defineComponent({
	__name: "ComparisonView",
	props: {
		comparisons: {},
		checkpoints: {}
	},
	setup(__props) {
		const { training } = services();
		const { problem, run } = useAttempt();
		const chosen = /* @__PURE__ */ ref("");
		const samples = /* @__PURE__ */ shallowRef([]);
		const job = computed(() => __props.comparisons.find(({ id }) => id === chosen.value) ?? __props.comparisons[0]);
		const videos = computed(() => samples.value.map((sample) => ({
			title: titleOf(sample),
			url: job.value ? training.client.sampleUrl(job.value.id, sample) : ""
		})));
		watch(() => [job.value?.id, job.value?.state], async ([id, state]) => {
			samples.value = [];
			if (!id || state !== "finished") return;
			await run(async () => {
				const found = await training.client.samples(id);
				if (id === job.value?.id) samples.value = found;
			});
		}, { immediate: true });
		/** Comparisons name their videos after the checkpoints. */
		function titleOf({ file, label }) {
			const found = __props.checkpoints.find((checkpoint) => [label, file].some((text) => text && stem(text) === stem(checkpoint.file)));
			return found ? checkpointName(found) : label || file;
		}
		function stem(file) {
			return file.replace(/\.(safetensors|mp4|webm)$/, "");
		}
		function remove(id) {
			run(async () => {
				await training.client.deleteJob(id);
				training.dropJob(id);
			});
		}
		return (_ctx, _cache) => {
			return job.value ? (openBlock(), createElementBlock("div", {
				key: 0,
				class: "et-comparison",
				"data-comparison": job.value.id
			}, [
				createBaseVNode("div", _hoisted_2$14, [__props.comparisons.length > 1 ? withDirectives((openBlock(), createElementBlock("select", {
					key: 0,
					"onUpdate:modelValue": _cache[0] || (_cache[0] = ($event) => chosen.value = $event),
					class: "et-input",
					"aria-label": "Comparison"
				}, [_cache[3] || (_cache[3] = createBaseVNode("option", { value: "" }, "Newest comparison", -1)), (openBlock(true), createElementBlock(Fragment, null, renderList(__props.comparisons.slice(1), (one) => {
					return openBlock(), createElementBlock("option", {
						key: one.id,
						value: one.id
					}, "Comparison of " + toDisplayString(unref(when)(one.created)), 9, _hoisted_3$11);
				}), 128))], 512)), [[vModelSelect, chosen.value]]) : (openBlock(), createElementBlock("span", _hoisted_4$9, "Comparison of " + toDisplayString(unref(when)(job.value.created)), 1)), job.value.state !== "finished" ? (openBlock(), createElementBlock("span", _hoisted_5$9, toDisplayString(unref(stateOf)(job.value)), 1)) : (openBlock(), createBlock(ConfirmButton_default, {
					key: 3,
					label: "Delete",
					question: "Delete these videos?",
					onConfirm: _cache[1] || (_cache[1] = ($event) => remove(job.value.id))
				}))]),
				job.value.state === "running" || job.value.state === "starting" ? (openBlock(), createBlock(ProgressBar_default, {
					key: 0,
					share: unref(shareOf)(job.value)
				}, null, 8, ["share"])) : createCommentVNode("", true),
				job.value.state === "failed" ? (openBlock(), createBlock(FailureCard_default, {
					key: 1,
					title: "The comparison failed",
					text: unref(sentence)(job.value.reason || "its log says why"),
					action: "Delete it",
					onAct: _cache[2] || (_cache[2] = ($event) => remove(job.value.id))
				}, null, 8, ["text"])) : createCommentVNode("", true),
				videos.value.length ? (openBlock(), createBlock(SideBySide_default, {
					key: job.value.id,
					videos: videos.value
				}, null, 8, ["videos"])) : createCommentVNode("", true),
				unref(problem) ? (openBlock(), createElementBlock("p", _hoisted_6$8, toDisplayString(unref(problem)), 1)) : createCommentVNode("", true)
			], 8, _hoisted_1$17)) : createCommentVNode("", true);
		};
	}
});
// src/view/training/KeepForm.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$16 = ["disabled"];
var _hoisted_2$13 = {
	key: 0,
	class: "et-bad",
	role: "alert"
};
// src/view/training/KeepForm.vue
var KeepForm_default = /* @__PURE__ */ defineComponent({
	__name: "KeepForm",
	props: {
		job: {},
		checkpoint: {}
	},
	emits: ["done"],
	setup(__props, { emit: __emit }) {
		const emit = __emit;
		const { client } = services().training;
		const { busy, problem, run } = useAttempt();
		const name = /* @__PURE__ */ ref(`${__props.job.name}-${__props.checkpoint.step ?? "last"}`);
		function keep() {
			run(async () => {
				const kept = await client.keep(__props.job.id, __props.checkpoint.file, name.value.trim());
				emit("done", `${kept.file} is in models/echotorrent_identities and stays when the job is deleted.`);
			});
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("form", {
				class: "et-inline",
				onSubmit: withModifiers(keep, ["prevent"])
			}, [
				withDirectives(createBaseVNode("input", {
					"onUpdate:modelValue": _cache[0] || (_cache[0] = ($event) => name.value = $event),
					class: "et-input",
					"aria-label": "Name of the identity",
					maxlength: "64",
					required: ""
				}, null, 512), [[vModelText, name.value]]),
				createBaseVNode("button", {
					type: "submit",
					class: "et-button",
					disabled: unref(busy)
				}, "Keep it", 8, _hoisted_1$16),
				unref(problem) ? (openBlock(), createElementBlock("p", _hoisted_2$13, toDisplayString(unref(problem)), 1)) : createCommentVNode("", true)
			], 32);
		};
	}
});
// src/view/training/CheckpointList.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$15 = {
	key: 0,
	class: "et-note"
};
var _hoisted_2$12 = {
	class: "et-checkpoints",
	"aria-label": "Checkpoints"
};
var _hoisted_3$10 = ["data-checkpoint"];
var _hoisted_4$8 = { class: "et-tick" };
var _hoisted_5$8 = [
	"aria-label",
	"checked",
	"onChange"
];
var _hoisted_6$7 = ["src"];
var _hoisted_7$6 = { class: "et-name" };
var _hoisted_8$6 = { class: "et-when" };
var _hoisted_9$5 = { class: "et-buttons" };
var _hoisted_10$4 = ["aria-label", "onClick"];
var _hoisted_11$4 = ["aria-expanded", "onClick"];
var _hoisted_12$2 = ["href", "download"];
var _hoisted_13$2 = {
	key: 1,
	class: "et-note",
	role: "status"
};
// src/view/training/CheckpointList.vue
var CheckpointList_default = /* @__PURE__ */ defineComponent({
	__name: "CheckpointList",
	props: {
		job: {},
		checkpoints: {}
	},
	setup(__props) {
		const { training, host } = services();
		const ticked = /* @__PURE__ */ ref([]);
		const keeping = /* @__PURE__ */ ref("");
		const said = /* @__PURE__ */ ref("");
		const newest = computed(() => [...__props.checkpoints].reverse());
		const comparisons = computed(() => training.comparisons(__props.job.id));
		watch(() => __props.checkpoints, (now) => ticked.value = ticked.value.filter((file) => now.some((checkpoint) => checkpoint.file === file)));
		function tick(file, on) {
			const order = __props.checkpoints.map((checkpoint) => checkpoint.file);
			const now = on ? [...ticked.value, file] : ticked.value.filter((other) => other !== file);
			ticked.value = order.filter((other) => now.includes(other));
		}
		function use(checkpoint) {
			const { done, text } = host.useIdentity(checkpoint.value);
			said.value = text;
			host.toast(done ? "success" : "warn", text);
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock(Fragment, null, [
				!__props.checkpoints.length ? (openBlock(), createElementBlock("p", _hoisted_1$15, "No checkpoints yet.")) : createCommentVNode("", true),
				createBaseVNode("ul", _hoisted_2$12, [(openBlock(true), createElementBlock(Fragment, null, renderList(newest.value, (checkpoint) => {
					return openBlock(), createElementBlock("li", {
						key: checkpoint.file,
						"data-checkpoint": checkpoint.file
					}, [
						createBaseVNode("label", _hoisted_4$8, [
							createBaseVNode("input", {
								type: "checkbox",
								"aria-label": `Compare ${unref(checkpointName)(checkpoint)}`,
								checked: ticked.value.includes(checkpoint.file),
								onChange: ($event) => tick(checkpoint.file, $event.target.checked)
							}, null, 40, _hoisted_5$8),
							checkpoint.preview ? (openBlock(), createElementBlock("img", {
								key: 0,
								src: checkpoint.preview,
								alt: ""
							}, null, 8, _hoisted_6$7)) : createCommentVNode("", true),
							createBaseVNode("span", _hoisted_7$6, toDisplayString(unref(checkpointName)(checkpoint)), 1),
							createBaseVNode("span", _hoisted_8$6, toDisplayString(unref(bytes)(checkpoint.bytes)) + ", " + toDisplayString(unref(when)(checkpoint.modified)), 1)
						]),
						createBaseVNode("span", _hoisted_9$5, [
							createBaseVNode("button", {
								type: "button",
								class: "et-button",
								"aria-label": `Use ${unref(checkpointName)(checkpoint)} in the graph`,
								onClick: ($event) => use(checkpoint)
							}, " Use in graph ", 8, _hoisted_10$4),
							createBaseVNode("button", {
								type: "button",
								class: "et-link",
								"aria-expanded": keeping.value === checkpoint.file,
								onClick: ($event) => keeping.value = keeping.value === checkpoint.file ? "" : checkpoint.file
							}, " Keep ", 8, _hoisted_11$4),
							createBaseVNode("a", {
								class: "et-link",
								href: unref(training).client.checkpointUrl(__props.job.id, checkpoint),
								download: `${__props.job.name}-${checkpoint.file}`
							}, "Download", 8, _hoisted_12$2)
						]),
						keeping.value === checkpoint.file ? (openBlock(), createBlock(KeepForm_default, {
							key: 0,
							job: __props.job,
							checkpoint,
							onDone: _cache[0] || (_cache[0] = (text) => (said.value = text, keeping.value = ""))
						}, null, 8, ["job", "checkpoint"])) : createCommentVNode("", true)
					], 8, _hoisted_3$10);
				}), 128))]),
				said.value ? (openBlock(), createElementBlock("p", _hoisted_13$2, toDisplayString(said.value), 1)) : createCommentVNode("", true),
				__props.checkpoints.length > 1 || ticked.value.length ? (openBlock(), createBlock(CompareForm_default, {
					key: 2,
					job: __props.job,
					ticked: ticked.value
				}, null, 8, ["job", "ticked"])) : createCommentVNode("", true),
				comparisons.value.length ? (openBlock(), createBlock(ComparisonView_default, {
					key: 3,
					comparisons: comparisons.value,
					checkpoints: __props.checkpoints
				}, null, 8, ["comparisons", "checkpoints"])) : createCommentVNode("", true)
			], 64);
		};
	}
});
// src/view/training/CurveChart.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$14 = ["viewBox", "aria-label"];
var _hoisted_2$11 = ["id"];
var _hoisted_3$9 = ["width", "height"];
var _hoisted_4$7 = { class: "et-grid" };
var _hoisted_5$7 = [
	"x2",
	"y1",
	"y2"
];
var _hoisted_6$6 = ["x", "y"];
var _hoisted_7$5 = ["x", "y"];
var _hoisted_8$5 = ["clip-path"];
var _hoisted_9$4 = ["d", "stroke"];
var _hoisted_10$3 = [
	"data-line",
	"d",
	"stroke"
];
var _hoisted_11$3 = { key: 0 };
var _hoisted_12$1 = [
	"x1",
	"x2",
	"y2"
];
var _hoisted_13$1 = [
	"cx",
	"cy",
	"fill"
];
var _hoisted_14$1 = [
	"x",
	"width",
	"height"
];
// src/view/training/CurveChart.vue
var CurveChart_default = /* @__PURE__ */ defineComponent({
	__name: "CurveChart",
	props: /*@__PURE__*/ mergeModels({
		lines: {},
		log: { type: Boolean }
	}, {
		"zoom": { required: true },
		"zoomModifiers": {},
		"read": { required: true },
		"readModifiers": {}
	}),
	emits: ["update:zoom", "update:read"],
	setup(__props) {
		const HEIGHT = 190;
		const LEFT = 46;
		const RIGHT = 8;
		const TOP = 8;
		const LEAST_DRAG = 6;
		/** The steps that are shown; null: all. */
		const zoom = useModel(__props, "zoom");
		/** The step that is pointed at; null: none. */
		const read = useModel(__props, "read");
		const clip = useId();
		const box = useTemplateRef("box");
		const width = /* @__PURE__ */ ref(296);
		const drag = /* @__PURE__ */ ref(null);
		let size;
		const inner = computed(() => Math.max(1, width.value - LEFT - RIGHT));
		const whole = computed(() => steps(__props.lines.map(({ raw }) => raw)));
		const x = computed(() => {
			const [low, high] = zoom.value ?? whole.value;
			return high > low ? [low, high] : [low - 1, low + 1];
		});
		const visible = computed(() => __props.lines.map(({ raw: all, smoothed, ...line }) => {
			const raw = within(all, x.value);
			return {
				...line,
				raw,
				smoothed: smoothed === all ? raw : within(smoothed, x.value)
			};
		}));
		const y = computed(() => extent(visible.value.flatMap(({ raw, smoothed }) => [raw, smoothed]), __props.log));
		const drawn = computed(() => visible.value.map(({ name, colour, raw, smoothed }) => ({
			name,
			colour,
			raw: raw === smoothed ? "" : path(raw),
			smoothed: path(smoothed)
		})));
		const columns = computed(() => ticks(x.value, inner.value / 70).filter(Number.isInteger));
		const rows = computed(() => __props.log ? logTicks(y.value, 5) : ticks(y.value, 4));
		const dots = computed(() => {
			const step = read.value;
			if (step === null) return [];
			return visible.value.flatMap(({ name, colour, smoothed }) => {
				const point = nearest(smoothed, step);
				return point ? {
					name,
					colour,
					x: atX(point.step),
					y: atY(point.value)
				} : [];
			});
		});
		const summary = computed(() => {
			const last = __props.lines.map(({ name, raw }) => `${name} ${brief(raw.at(-1)?.value ?? NaN)}`).join(", ");
			return `Curve over ${whole.value[1]} steps. Last: ${last || "nothing shown"}.`;
		});
		onMounted(() => {
			size = new ResizeObserver(([entry]) => entry?.contentRect.width && (width.value = entry.contentRect.width));
			if (box.value) size.observe(box.value);
		});
		onBeforeUnmount(() => size?.disconnect());
		function atX(step) {
			return LEFT + share$1(step, x.value) * inner.value;
		}
		function atY(value) {
			return 170 - Math.max(-1, share$1(value, y.value, __props.log)) * 162;
		}
		function path(points) {
			const pieces = thin(points, inner.value).map(({ step, value }) => `${atX(step).toFixed(1)},${atY(value).toFixed(1)}`);
			return pieces.length === 1 ? `M${pieces[0]}m-1.5,0a1.5,1.5 0 1,0 3,0a1.5,1.5 0 1,0 -3,0` : `M${pieces.join("L")}`;
		}
		/** Pixels from the left, inside the axes. */
		function pixel(event) {
			const left = box.value?.getBoundingClientRect().left ?? 0;
			return Math.min(LEFT + inner.value, Math.max(LEFT, event.clientX - left));
		}
		function stepAt(pixels) {
			const [low, high] = x.value;
			return low + (pixels - LEFT) / inner.value * (high - low);
		}
		function point(step) {
			const found = __props.lines.map(({ raw }) => nearest(raw, step)?.step ?? Infinity);
			if (found.length) read.value = found.reduce((best, one) => Math.abs(one - step) < Math.abs(best - step) ? one : best);
		}
		function down(event) {
			if (event.button !== 0) return;
			event.currentTarget.setPointerCapture(event.pointerId);
			drag.value = [pixel(event), pixel(event)];
		}
		function move(event) {
			point(stepAt(pixel(event)));
			if (drag.value) drag.value = [drag.value[0], pixel(event)];
		}
		function up() {
			if (drag.value) show(stepAt(Math.min(...drag.value)), stepAt(Math.max(...drag.value)));
			drag.value = null;
		}
		/** Zooms, unless the range is hardly more than a click or holds no two steps. */
		function show(from, to) {
			if (atX(to) - atX(from) >= LEAST_DRAG && __props.lines.some(({ raw }) => indexOf(raw, to) - indexOf(raw, from) > 1)) zoom.value = [from, to];
		}
		function key(event) {
			const points = __props.lines[0]?.raw ?? [];
			const [low, high] = x.value;
			const middle = read.value ?? (low + high) / 2;
			const far = event.shiftKey ? Math.max(1, Math.round(points.length / 10)) : 1;
			const at = indexOf(points, read.value ?? whole.value[1]);
			const go = (index) => void (read.value = points[Math.max(0, Math.min(points.length - 1, index))]?.step ?? null);
			const act = {
				ArrowLeft: () => go(at - far),
				ArrowRight: () => go(at + far),
				Home: () => go(0),
				End: () => go(points.length - 1),
				"+": () => show(Math.max(whole.value[0], middle - (high - low) / 4), Math.min(whole.value[1], middle + (high - low) / 4)),
				"-": () => {
					const [from, to] = [middle - (high - low), middle + (high - low)];
					zoom.value = from <= whole.value[0] && to >= whole.value[1] ? null : [Math.max(whole.value[0], from), Math.min(whole.value[1], to)];
				},
				Escape: () => zoom.value = read.value = null
			}[event.key];
			if (!act) return;
			event.preventDefault();
			act();
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("div", {
				ref_key: "box",
				ref: box,
				class: "et-curve",
				tabindex: "0",
				role: "group",
				"aria-label": "Curve. Arrow keys read it, plus and minus zoom, Escape shows all.",
				onKeydown: key,
				onPointerdown: down,
				onPointermove: move,
				onPointerup: up,
				onPointercancel: _cache[0] || (_cache[0] = ($event) => drag.value = null),
				onPointerleave: _cache[1] || (_cache[1] = ($event) => drag.value || (read.value = null)),
				onDblclick: _cache[2] || (_cache[2] = ($event) => zoom.value = null)
			}, [(openBlock(), createElementBlock("svg", {
				viewBox: `0 0 ${width.value} ${HEIGHT}`,
				height: HEIGHT,
				role: "img",
				"aria-label": summary.value
			}, [
				createBaseVNode("clipPath", { id: unref(clip) }, [createBaseVNode("rect", {
					x: LEFT,
					y: TOP,
					width: inner.value,
					height: 162
				}, null, 8, _hoisted_3$9)], 8, _hoisted_2$11),
				createBaseVNode("g", _hoisted_4$7, [(openBlock(true), createElementBlock(Fragment, null, renderList(rows.value, (value) => {
					return openBlock(), createElementBlock(Fragment, { key: value }, [createBaseVNode("line", {
						x1: LEFT,
						x2: LEFT + inner.value,
						y1: atY(value),
						y2: atY(value)
					}, null, 8, _hoisted_5$7), createBaseVNode("text", {
						x: 40,
						y: atY(value) + 4,
						"text-anchor": "end"
					}, toDisplayString(unref(brief)(value)), 9, _hoisted_6$6)], 64);
				}), 128)), (openBlock(true), createElementBlock(Fragment, null, renderList(columns.value, (step) => {
					return openBlock(), createElementBlock("text", {
						key: step,
						x: atX(step),
						y: 186,
						"text-anchor": "middle"
					}, toDisplayString(step), 9, _hoisted_7$5);
				}), 128))]),
				createBaseVNode("g", {
					"clip-path": `url(#${unref(clip)})`,
					fill: "none"
				}, [(openBlock(true), createElementBlock(Fragment, null, renderList(drawn.value, (line) => {
					return openBlock(), createElementBlock(Fragment, { key: line.name }, [line.raw ? (openBlock(), createElementBlock("path", {
						key: 0,
						class: "et-raw",
						d: line.raw,
						stroke: line.colour
					}, null, 8, _hoisted_9$4)) : createCommentVNode("", true), createBaseVNode("path", {
						class: "et-smooth",
						"data-line": line.name,
						d: line.smoothed,
						stroke: line.colour
					}, null, 8, _hoisted_10$3)], 64);
				}), 128))], 8, _hoisted_8$5),
				read.value !== null ? (openBlock(), createElementBlock("g", _hoisted_11$3, [createBaseVNode("line", {
					class: "et-pointer",
					x1: atX(read.value),
					x2: atX(read.value),
					y1: TOP,
					y2: 170
				}, null, 8, _hoisted_12$1), (openBlock(true), createElementBlock(Fragment, null, renderList(dots.value, (dot) => {
					return openBlock(), createElementBlock("circle", {
						key: dot.name,
						cx: dot.x,
						cy: dot.y,
						r: "3.5",
						fill: dot.colour
					}, null, 8, _hoisted_13$1);
				}), 128))])) : createCommentVNode("", true),
				drag.value ? (openBlock(), createElementBlock("rect", {
					key: 1,
					class: "et-marked",
					x: Math.min(...drag.value),
					width: Math.abs(drag.value[1] - drag.value[0]),
					y: TOP,
					height: 162
				}, null, 8, _hoisted_14$1)) : createCommentVNode("", true)
			], 8, _hoisted_1$14))], 544);
		};
	}
});
// src/view/training/CurvePanel.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$13 = {
	key: 0,
	class: "et-note"
};
var _hoisted_2$10 = {
	class: "et-legend",
	role: "group",
	"aria-label": "Metrics"
};
var _hoisted_3$8 = {
	class: "et-when et-step",
	"data-read": ""
};
var _hoisted_4$6 = [
	"data-metric",
	"aria-pressed",
	"onClick"
];
var _hoisted_5$6 = { class: "et-number" };
var _hoisted_6$5 = ["aria-expanded"];
var _hoisted_7$4 = { class: "et-line et-controls" };
var _hoisted_8$4 = ["aria-valuetext"];
var _hoisted_9$3 = {
	key: 1,
	class: "et-note"
};
var shown$1 = remembered("metrics", {}, isRecord(isFlag));
var weight = remembered("smoothing", .6, isShare);
var log = remembered("log axis", false, isFlag);
// src/view/training/CurvePanel.vue
var CurvePanel_default = /* @__PURE__ */ defineComponent({
	__name: "CurvePanel",
	props: {
		curve: {},
		waiting: { type: Boolean }
	},
	setup(__props) {
		const COLOURS = [
			"#3b82f6",
			"#f0a020",
			"#17a589",
			"#e05297",
			"#8b6df0",
			"#d9603b",
			"#5b8c2a",
			"#0fa3c9"
		];
		const FEW = 5;
		const zoom = /* @__PURE__ */ ref(null);
		/** Whether all metrics are offered, or only the first and what is shown. */
		const every = /* @__PURE__ */ ref(false);
		/** The step that is pointed at. */
		const read = /* @__PURE__ */ ref(null);
		const names = computed(() => [...__props.curve.series.keys()].sort((a, b) => Number(isLoss(b)) - Number(isLoss(a)) || (a < b ? -1 : 1)));
		const lines = computed(() => names.value.flatMap((name, i) => {
			const raw = __props.curve.series.get(name);
			if (!raw?.length || !isShown(name)) return [];
			return {
				name,
				colour: colourOf(i),
				raw,
				smoothed: weight.value ? smooth(raw, weight.value) : raw
			};
		}));
		const offered = computed(() => names.value.map((name, i) => ({
			name,
			i
		})).filter(({ name, i }) => every.value || i < FEW || isShown(name)));
		const at = computed(() => read.value ?? steps([...__props.curve.series.values()])[1]);
		/** Until the user chooses: the losses, or the first metric where there are none. */
		function isShown(name) {
			return shown$1.value[name] ?? (isLoss(name) || name === names.value[0] && !names.value.some(isLoss));
		}
		function isLoss(name) {
			return /(^|[/._])loss($|[/._])/.test(name);
		}
		function colourOf(index) {
			return COLOURS[index % COLOURS.length] ?? COLOURS[0];
		}
		function valueOf(name) {
			const point = nearest(__props.curve.series.get(name) ?? [], at.value);
			return point ? brief(point.value) : "";
		}
		return (_ctx, _cache) => {
			return !names.value.length ? (openBlock(), createElementBlock("p", _hoisted_1$13, toDisplayString(__props.waiting ? "Reading the curve" : "No steps yet."), 1)) : (openBlock(), createElementBlock(Fragment, { key: 1 }, [
				createVNode(CurveChart_default, {
					zoom: zoom.value,
					"onUpdate:zoom": _cache[0] || (_cache[0] = ($event) => zoom.value = $event),
					read: read.value,
					"onUpdate:read": _cache[1] || (_cache[1] = ($event) => read.value = $event),
					lines: lines.value,
					log: unref(log)
				}, null, 8, [
					"zoom",
					"read",
					"lines",
					"log"
				]),
				createBaseVNode("div", _hoisted_2$10, [
					createBaseVNode("span", _hoisted_3$8, "step " + toDisplayString(at.value), 1),
					(openBlock(true), createElementBlock(Fragment, null, renderList(offered.value, ({ name, i }) => {
						return openBlock(), createElementBlock("button", {
							key: name,
							type: "button",
							class: "et-chip",
							"data-metric": name,
							"aria-pressed": isShown(name),
							onClick: ($event) => unref(shown$1)[name] = !isShown(name)
						}, [
							createBaseVNode("span", {
								class: "et-swatch",
								style: normalizeStyle({ background: colourOf(i) })
							}, null, 4),
							createTextVNode(toDisplayString(name) + " ", 1),
							createBaseVNode("span", _hoisted_5$6, toDisplayString(valueOf(name)), 1)
						], 8, _hoisted_4$6);
					}), 128)),
					names.value.length > FEW ? (openBlock(), createElementBlock("button", {
						key: 0,
						type: "button",
						class: "et-link",
						"aria-expanded": every.value,
						onClick: _cache[2] || (_cache[2] = ($event) => every.value = !every.value)
					}, toDisplayString(every.value ? "Fewer" : `${names.value.length - offered.value.length} more`), 9, _hoisted_6$5)) : createCommentVNode("", true)
				]),
				createBaseVNode("div", _hoisted_7$4, [
					createBaseVNode("label", null, [_cache[6] || (_cache[6] = createTextVNode(" Smoothing ", -1)), withDirectives(createBaseVNode("input", {
						"onUpdate:modelValue": _cache[3] || (_cache[3] = ($event) => /* @__PURE__ */ isRef(weight) ? weight.value = $event : null),
						type: "range",
						min: "0",
						max: "0.98",
						step: "0.02",
						"aria-valuetext": `${Math.round(100 * unref(weight))} %`
					}, null, 8, _hoisted_8$4), [[
						vModelText,
						unref(weight),
						void 0,
						{ number: true }
					]])]),
					createBaseVNode("label", null, [withDirectives(createBaseVNode("input", {
						"onUpdate:modelValue": _cache[4] || (_cache[4] = ($event) => /* @__PURE__ */ isRef(log) ? log.value = $event : null),
						type: "checkbox"
					}, null, 512), [[vModelCheckbox, unref(log)]]), _cache[7] || (_cache[7] = createTextVNode(" Log axis", -1))]),
					zoom.value ? (openBlock(), createElementBlock("button", {
						key: 0,
						type: "button",
						class: "et-link",
						onClick: _cache[5] || (_cache[5] = ($event) => zoom.value = null)
					}, "Show all")) : (openBlock(), createElementBlock("span", _hoisted_9$3, "Drag to zoom"))
				])
			], 64));
		};
	}
});
// src/view/training/FoldSection.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$12 = ["data-fold", "open"];
var _hoisted_2$9 = {
	key: 0,
	class: "et-when"
};
var open = remembered("open", {}, isRecord(isFlag));
// src/view/training/FoldSection.vue
var FoldSection_default = /* @__PURE__ */ defineComponent({
	__name: "FoldSection",
	props: {
		name: {},
		title: {},
		note: {},
		closed: { type: Boolean }
	},
	setup(__props) {
		/** closed: as long as the user has not opened it. */
		function toggled(event) {
			const now = event.target.open;
			if (now !== (open.value[__props.name] ?? !__props.closed)) open.value[__props.name] = now;
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("details", {
				class: "et-fold",
				"data-fold": __props.name,
				open: unref(open)[__props.name] ?? !__props.closed,
				onToggle: toggled
			}, [createBaseVNode("summary", null, [createBaseVNode("h3", null, toDisplayString(__props.title), 1), __props.note ? (openBlock(), createElementBlock("span", _hoisted_2$9, toDisplayString(__props.note), 1)) : createCommentVNode("", true)]), renderSlot(_ctx.$slots, "default")], 40, _hoisted_1$12);
		};
	}
});
// src/training/actions.ts
var ALLOWED = {
	queued: [
		"earlier",
		"pause",
		"stop",
		"duplicate",
		"delete"
	],
	starting: ["stop", "duplicate"],
	running: [
		"pause",
		"stop",
		"save",
		"sample",
		"requeue",
		"duplicate"
	],
	paused: [
		"resume",
		"requeue",
		"duplicate",
		"delete"
	],
	stopped: [
		"start",
		"duplicate",
		"delete"
	],
	failed: [
		"start",
		"duplicate",
		"delete"
	],
	finished: ["duplicate", "delete"]
};
/** In the order in which they are shown. */
function actionsOf(job) {
	const allowed = ALLOWED[job.state].filter((action) => action !== "earlier" || (job.position ?? 0) > 0);
	return isActive(job) && job.pending.includes("stop") ? [...allowed, "end"] : allowed;
}
/** Whether the worker has been told and has not answered yet. */
var isPending = (job, action) => job.pending.includes(action);
var LABELS = {
	start: "Start",
	resume: "Resume",
	pause: "Pause",
	stop: "Stop",
	requeue: "Requeue",
	save: "Save now",
	sample: "Sample now",
	duplicate: "Duplicate",
	earlier: "Move up",
	end: "End at once",
	delete: "Delete"
};
var PENDING = {
	pause: "Pausing",
	stop: "Stopping",
	requeue: "Requeueing",
	save: "Saving",
	sample: "Sampling"
};
function hintOf(job, action) {
	const step = job.resume_step;
	const where = step === null ? "from the beginning" : `from step ${step}`;
	return {
		start: `Puts it at the end of the queue; it goes on ${where}.`,
		resume: `Makes it the next in the queue; it goes on ${where}.`,
		pause: isActive(job) ? "Writes a checkpoint after this step and makes room." : "Takes it out of the queue for now.",
		stop: isActive(job) ? "Writes a checkpoint after this step and ends." : "Takes it out of the queue.",
		requeue: "Puts it at the end of the queue, with a checkpoint if it runs.",
		save: "Writes a checkpoint after this step and goes on.",
		sample: "Makes a sample video after this step and goes on.",
		duplicate: "Makes a new job with these settings, stopped, to be changed or started.",
		earlier: "Moves it one place forward in the queue.",
		end: "Ends the process without a checkpoint, if it hangs.",
		delete: "Deletes the job with its checkpoints and samples."
	}[action];
}
// src/view/training/JobActions.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$11 = {
	class: "et-buttons",
	role: "group",
	"aria-label": "What to do with it"
};
var _hoisted_2$8 = [
	"title",
	"disabled",
	"onClick"
];
// src/view/training/JobActions.vue
var JobActions_default = /* @__PURE__ */ defineComponent({
	__name: "JobActions",
	props: { job: {} },
	setup(__props) {
		const { training } = services();
		const { client, online } = training;
		const { busy, problem, run } = useAttempt();
		const place = usePlace();
		const actions = computed(() => actionsOf(__props.job));
		const plain = computed(() => actions.value.filter((action) => action !== "delete" && action !== "end"));
		function act(action) {
			run(async () => {
				await WORK[action]();
				training.refresh();
			});
		}
		const order = (name) => async () => training.putJob(await client.order(__props.job.id, name));
		const WORK = {
			start: order("start"),
			resume: order("resume"),
			pause: order("pause"),
			stop: order("stop"),
			requeue: order("requeue"),
			save: order("save"),
			sample: order("sample"),
			async duplicate() {
				const copy = await client.order(__props.job.id, "duplicate");
				training.putJob(copy);
				place.value = {
					...place.value,
					job: copy.id
				};
			},
			earlier: async () => training.putJob(await client.changeJob(__props.job.id, { position: Math.max(0, (__props.job.position ?? 1) - 1) })),
			end: async () => training.putJob(await client.end(__props.job.id)),
			async delete() {
				await client.deleteJob(__props.job.id);
				training.dropJob(__props.job.id);
			}
		};
		const label = (action) => isPending(__props.job, action) ? PENDING[action] : LABELS[action];
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock(Fragment, null, [createBaseVNode("div", _hoisted_1$11, [
				(openBlock(true), createElementBlock(Fragment, null, renderList(plain.value, (action) => {
					return openBlock(), createElementBlock("button", {
						key: action,
						type: "button",
						class: normalizeClass(["et-button", { "et-main": action === "start" || action === "resume" }]),
						title: unref(hintOf)(__props.job, action),
						disabled: unref(busy) || !unref(online) || unref(isPending)(__props.job, action),
						onClick: ($event) => act(action)
					}, toDisplayString(label(action)), 11, _hoisted_2$8);
				}), 128)),
				actions.value.includes("end") ? (openBlock(), createBlock(ConfirmButton_default, {
					key: 0,
					label: unref(LABELS).end,
					question: "End it without a checkpoint?",
					title: unref(hintOf)(__props.job, "end"),
					disabled: unref(busy) || !unref(online),
					onConfirm: _cache[0] || (_cache[0] = ($event) => act("end"))
				}, null, 8, [
					"label",
					"title",
					"disabled"
				])) : createCommentVNode("", true),
				actions.value.includes("delete") ? (openBlock(), createBlock(ConfirmButton_default, {
					key: 1,
					label: unref(LABELS).delete,
					question: "Delete it with all checkpoints and samples?",
					title: unref(hintOf)(__props.job, "delete"),
					disabled: unref(busy) || !unref(online),
					onConfirm: _cache[1] || (_cache[1] = ($event) => act("delete"))
				}, null, 8, [
					"label",
					"title",
					"disabled"
				])) : createCommentVNode("", true)
			]), unref(problem) ? (openBlock(), createBlock(FailureCard_default, {
				key: 0,
				title: "That was refused",
				text: unref(problem)
			}, null, 8, ["text"])) : createCommentVNode("", true)], 64);
		};
	}
});
// src/training/form.ts
var isPlain = (value) => [
	"number",
	"string",
	"boolean"
].includes(typeof value);
var isTexts = (value) => Array.isArray(value) && value.every((one) => typeof one === "string");
/** Settings that cannot be shown as an input, such as objects, are left at their default. */
function fieldsOf(schema) {
	return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => fieldOf(key, property) ?? []);
}
function fieldOf(key, property) {
	const choices = (property.enum ?? []).filter(isPlain);
	const kind = choices.length ? "choice" : kindOf(property);
	if (!kind) return void 0;
	const { exclusiveMinimum: above, exclusiveMaximum: below } = property;
	return {
		key,
		kind,
		title: property.title ?? titleOf(key),
		help: property.description ?? "",
		initial: initialOf(kind, property.default, choices),
		choices,
		minimum: above ?? property.minimum ?? -Infinity,
		maximum: below ?? property.maximum ?? Infinity,
		withMinimum: above === void 0,
		withMaximum: below === void 0,
		advanced: property.group === "advanced"
	};
}
function initialOf(kind, given, choices) {
	if (kind === "list") return isTexts(given) ? given : [];
	if (isPlain(given)) return given;
	return choices[0] ?? (kind === "boolean" ? false : "");
}
function kindOf({ type, items }) {
	const types = typeof type === "string" ? [type] : type ?? [];
	if (types.includes("number")) return "number";
	if (types.includes("integer")) return "integer";
	if (types.includes("boolean")) return "boolean";
	if (types.includes("string")) return "text";
	return types.includes("array") && items && kindOf(items) === "text" ? "list" : void 0;
}
/** "prior_weight" as "Prior weight". */
function titleOf(key) {
	const words = key.replace(/_/g, " ");
	return words.charAt(0).toUpperCase() + words.slice(1);
}
/** What stands in an input. */
function shown(field, draft) {
	return draft[field.key] ?? textOf(field.initial);
}
/** A setting as its input shows it. */
function textOf(value) {
	if (typeof value === "boolean") return value;
	return isTexts(value) ? value.join("\n") : String(value);
}
/** The value of what stands in an input; undefined if it is none. */
function valueOf(field, draft) {
	const given = shown(field, draft);
	if (field.kind === "boolean") return given === true;
	if (field.kind === "choice") return field.choices.find((choice) => String(choice) === given);
	const text = String(given).trim();
	if (field.kind === "list") return text.split(/\s*\n\s*/).filter(Boolean);
	if (field.kind === "text") return text;
	const number = Number(text.replace(",", "."));
	return text === "" || !Number.isFinite(number) ? void 0 : number;
}
/** What is wrong with what stands in an input, as a sentence; empty if nothing is. */
function problemOf(field, draft) {
	const value = valueOf(field, draft);
	if (field.kind === "choice") return value === void 0 ? `Choose one of ${field.choices.join(", ")}.` : "";
	if (field.kind !== "integer" && field.kind !== "number") return "";
	const whole = field.kind === "integer";
	const { minimum, maximum, withMinimum, withMaximum } = field;
	return typeof value === "number" && (!whole || Number.isInteger(value)) && (withMinimum ? value >= minimum : value > minimum) && (withMaximum ? value <= maximum : value < maximum) ? "" : `Give a ${whole ? "whole " : ""}number${limits(field)}.`;
}
function limits({ minimum, maximum, withMinimum, withMaximum }) {
	const [low, high] = [Number.isFinite(minimum), Number.isFinite(maximum)];
	if (low && high && withMinimum && withMaximum) return ` from ${minimum} to ${maximum}`;
	const above = low ? ` ${withMinimum ? "from" : "above"} ${minimum}` : "";
	const below = high ? ` ${withMaximum ? "up to" : "below"} ${maximum}` : "";
	return above + (above && below ? "," : "") + below;
}
/** What differs from the defaults, as the server takes it; null while something is wrong. */
function settingsOf(fields, draft) {
	const found = {};
	for (const field of fields) {
		const value = valueOf(field, draft);
		if (value === void 0 || problemOf(field, draft)) return null;
		if (String(value) !== String(field.initial)) found[field.key] = value;
	}
	return found;
}
// src/view/training/JobFacts.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$10 = { class: "et-facts" };
// src/view/training/JobFacts.vue
var JobFacts_default = /* @__PURE__ */ defineComponent({
	__name: "JobFacts",
	props: { job: {} },
	setup(__props) {
		const { training } = services();
		const place = usePlace();
		const dataset = computed(() => __props.job.dataset ? training.findDataset(__props.job.dataset) : void 0);
		/** All settings, by the names that the form gives them; those that were changed are marked. */
		const settings = computed(() => {
			const preset = training.options.value?.presets.find(({ name }) => name === __props.job.preset);
			const fields = preset ? fieldsOf(preset.schema) : [];
			const known = fields.map(({ key, title, initial }) => ({
				title,
				value: __props.job.settings[key] ?? initial,
				changed: key in __props.job.settings
			}));
			const others = Object.entries(__props.job.settings).filter(([key]) => !fields.some((field) => field.key === key));
			return [...known, ...others.map(([title, value]) => ({
				title,
				value,
				changed: true
			}))];
		});
		const word = (value) => typeof value === "boolean" ? value ? "on" : "off" : typeof value === "object" ? value.join(", ") : String(value);
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("dl", _hoisted_1$10, [
				createBaseVNode("div", null, [_cache[1] || (_cache[1] = createBaseVNode("dt", null, "Dataset", -1)), createBaseVNode("dd", null, [dataset.value ? (openBlock(), createElementBlock("button", {
					key: 0,
					type: "button",
					class: "et-link",
					onClick: _cache[0] || (_cache[0] = ($event) => place.value = {
						...unref(place),
						section: "datasets",
						dataset: dataset.value.id
					})
				}, toDisplayString(dataset.value.name), 1)) : (openBlock(), createElementBlock(Fragment, { key: 1 }, [createTextVNode("deleted")], 64))])]),
				(openBlock(true), createElementBlock(Fragment, null, renderList(settings.value, ({ title, value, changed }) => {
					return openBlock(), createElementBlock("div", {
						key: title,
						class: normalizeClass({ "et-changed": changed })
					}, [createBaseVNode("dt", null, toDisplayString(title), 1), createBaseVNode("dd", null, toDisplayString(word(value)), 1)], 2);
				}), 128)),
				createBaseVNode("div", null, [_cache[2] || (_cache[2] = createBaseVNode("dt", null, "Job", -1)), createBaseVNode("dd", null, [createBaseVNode("code", null, toDisplayString(__props.job.id), 1)])])
			]);
		};
	}
});
// src/view/training/JobStatus.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$9 = ["data-job-state"];
var _hoisted_2$7 = { class: "et-line" };
var _hoisted_3$7 = {
	class: "et-state",
	role: "status"
};
var _hoisted_4$5 = { class: "et-when" };
var _hoisted_5$5 = { class: "et-line et-progress" };
var _hoisted_6$4 = { class: "et-line et-progress" };
var _hoisted_7$3 = { key: 0 };
var _hoisted_8$3 = {
	key: 1,
	class: "et-progress et-wrap"
};
// src/view/training/JobStatus.vue
var JobStatus_default = /* @__PURE__ */ defineComponent({
	__name: "JobStatus",
	props: { job: {} },
	setup(__props) {
		const loss = computed(() => {
			const value = __props.job.metrics["loss"] ?? Object.entries(__props.job.metrics).find(([name]) => name.startsWith("loss/"))?.[1];
			return typeof value === "number" ? `loss ${brief(value)}` : "";
		});
		const took = computed(() => {
			if (isActive(__props.job) || __props.job.started === null || __props.job.ended === null || __props.job.ended <= __props.job.started) return "";
			return `took ${duration(__props.job.ended - __props.job.started)}`;
		});
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("div", {
				class: "et-about",
				"data-job-state": __props.job.state
			}, [
				createBaseVNode("p", _hoisted_2$7, [createBaseVNode("span", _hoisted_3$7, [createTextVNode(toDisplayString(unref(stateOf)(__props.job)), 1), __props.job.phase ? (openBlock(), createElementBlock(Fragment, { key: 0 }, [createTextVNode(", " + toDisplayString(__props.job.phase), 1)], 64)) : createCommentVNode("", true)]), createBaseVNode("span", _hoisted_4$5, toDisplayString(unref(leftOf)(__props.job) || took.value), 1)]),
				__props.job.state !== "stopped" || __props.job.step ? (openBlock(), createBlock(ProgressBar_default, {
					key: 0,
					share: unref(isActive)(__props.job) || __props.job.step ? unref(shareOf)(__props.job) : 0,
					role: "progressbar",
					"aria-label": "Steps done",
					"aria-valuenow": __props.job.step,
					"aria-valuemin": "0",
					"aria-valuemax": __props.job.total || void 0
				}, null, 8, [
					"share",
					"aria-valuenow",
					"aria-valuemax"
				])) : createCommentVNode("", true),
				createBaseVNode("p", _hoisted_5$5, [createBaseVNode("span", null, toDisplayString(unref(stepsOf)(__props.job)), 1), createBaseVNode("span", null, toDisplayString(loss.value), 1)]),
				createBaseVNode("p", _hoisted_6$4, [createBaseVNode("span", null, toDisplayString(__props.job.preset) + " on " + toDisplayString(__props.job.device), 1), __props.job.resume_step !== null && !unref(isActive)(__props.job) && __props.job.state !== "finished" ? (openBlock(), createElementBlock("span", _hoisted_7$3, "goes on from step " + toDisplayString(__props.job.resume_step), 1)) : createCommentVNode("", true)]),
				__props.job.reason && __props.job.state !== "failed" ? (openBlock(), createElementBlock("p", _hoisted_8$3, toDisplayString(__props.job.reason), 1)) : createCommentVNode("", true)
			], 8, _hoisted_1$9);
		};
	}
});
// src/view/training/LogTail.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$8 = {
	key: 1,
	class: "et-note"
};
var END = 8;
// src/view/training/LogTail.vue
var LogTail_default = /* @__PURE__ */ defineComponent({
	__name: "LogTail",
	props: { text: {} },
	setup(__props) {
		const box = useTemplateRef("box");
		watch(() => __props.text, async () => {
			const before = box.value;
			const follows = !before || before.scrollHeight - before.scrollTop - before.clientHeight < END;
			await nextTick();
			if (follows) toEnd();
		});
		onMounted(toEnd);
		function toEnd() {
			if (box.value) box.value.scrollTop = box.value.scrollHeight;
		}
		return (_ctx, _cache) => {
			return __props.text ? (openBlock(), createElementBlock("pre", {
				key: 0,
				ref_key: "box",
				ref: box,
				class: "et-log",
				role: "log",
				"aria-label": "Log",
				tabindex: "0"
			}, toDisplayString(unref(printed)(__props.text)), 513)) : (openBlock(), createElementBlock("p", _hoisted_1$8, "Nothing was logged yet."));
		};
	}
});
// src/view/training/ReferenceClip.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$7 = {
	key: 0,
	class: "et-reference"
};
var _hoisted_2$6 = ["src", "alt"];
var _hoisted_3$6 = ["src", "poster"];
var _hoisted_4$4 = ["value"];
var _hoisted_5$4 = ["value"];
// src/view/training/ReferenceClip.vue
var ReferenceClip_default = /* @__PURE__ */ defineComponent({
	__name: "ReferenceClip",
	props: {
		dataset: {},
		label: {}
	},
	setup(__props) {
		const { client } = services().training;
		const chosen = /* @__PURE__ */ ref("");
		const clips = computed(() => __props.dataset.clips.filter(({ use, verdict }) => use && (verdict?.usable ?? true)));
		const clip = computed(() => {
			const stem = (file) => file.replace(/\.[^.]*$/, "");
			const find = (test) => clips.value.find(({ file }) => test(file));
			return find((file) => file === chosen.value) ?? find((file) => __props.label !== "" && stem(file) === __props.label) ?? clips.value[0];
		});
		const source = computed(() => {
			if (!clip.value) return "";
			const { begin, end } = clip.value;
			return `${client.clipUrl(__props.dataset.id, clip.value)}#t=${begin}${end === null ? "" : `,${end}`}`;
		});
		return (_ctx, _cache) => {
			return clip.value ? (openBlock(), createElementBlock("figure", _hoisted_1$7, [clip.value.kind === "still" ? (openBlock(), createElementBlock("img", {
				key: 0,
				src: source.value,
				alt: `Reference ${clip.value.file}`
			}, null, 8, _hoisted_2$6)) : (openBlock(), createElementBlock("video", {
				key: 1,
				src: source.value,
				poster: clip.value.thumbnail ? unref(client).thumbnailUrl(__props.dataset.id, clip.value) : void 0,
				controls: "",
				playsinline: "",
				preload: "metadata"
			}, null, 8, _hoisted_3$6)), createBaseVNode("figcaption", null, [clips.value.length > 1 ? (openBlock(), createElementBlock("select", {
				key: 0,
				value: clip.value.file,
				class: "et-input",
				"aria-label": "Reference",
				onChange: _cache[0] || (_cache[0] = ($event) => chosen.value = $event.target.value)
			}, [(openBlock(true), createElementBlock(Fragment, null, renderList(clips.value, ({ file }) => {
				return openBlock(), createElementBlock("option", {
					key: file,
					value: file
				}, "Reference: " + toDisplayString(file), 9, _hoisted_5$4);
			}), 128))], 40, _hoisted_4$4)) : (openBlock(), createElementBlock(Fragment, { key: 1 }, [createTextVNode("Reference: " + toDisplayString(clip.value.file), 1)], 64))])])) : createCommentVNode("", true);
		};
	}
});
// src/view/training/SampleView.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$6 = {
	key: 0,
	class: "et-note"
};
var _hoisted_2$5 = {
	key: 1,
	class: "et-steps"
};
var _hoisted_3$5 = ["max", "aria-valuetext"];
var _hoisted_4$3 = { class: "et-when" };
var _hoisted_5$3 = { class: "et-beside" };
var _hoisted_6$3 = {
	key: 1,
	class: "et-reference"
};
var _hoisted_7$2 = ["src"];
var _hoisted_8$2 = ["data-sample"];
var _hoisted_9$2 = ["src", "alt"];
var _hoisted_10$2 = ["src"];
var _hoisted_11$2 = ["title"];
// src/view/training/SampleView.vue
var SampleView_default = /* @__PURE__ */ defineComponent({
	__name: "SampleView",
	props: {
		job: {},
		samples: {},
		still: {}
	},
	setup(__props) {
		const { training } = services();
		const chosen = /* @__PURE__ */ ref();
		const videos = useTemplateRef("videos");
		const steps = computed(() => [...new Set(__props.samples.flatMap(({ step }) => step ?? []))].sort((a, b) => a - b));
		const index = computed({
			get: () => {
				const found = chosen.value === void 0 ? -1 : steps.value.indexOf(chosen.value);
				return found < 0 ? steps.value.length - 1 : found;
			},
			set: (at) => chosen.value = at === steps.value.length - 1 ? void 0 : steps.value[at]
		});
		const step = computed(() => steps.value[index.value]);
		const shown = computed(() => __props.samples.filter((sample) => sample.step === (step.value ?? null)));
		const dataset = computed(() => __props.job.dataset ? training.findDataset(__props.job.dataset) : void 0);
		const isPicture = ({ file }) => /\.(png|jpe?g|webp)$/i.test(file);
		function play() {
			for (const video of videos.value ?? []) {
				video.currentTime = 0;
				video.play();
			}
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock(Fragment, null, [
				!__props.samples.length ? (openBlock(), createElementBlock("p", _hoisted_1$6, "No samples yet. They appear here while the fine-tune runs.")) : createCommentVNode("", true),
				steps.value.length > 1 ? (openBlock(), createElementBlock("div", _hoisted_2$5, [
					withDirectives(createBaseVNode("input", {
						"onUpdate:modelValue": _cache[0] || (_cache[0] = ($event) => index.value = $event),
						type: "range",
						min: "0",
						max: steps.value.length - 1,
						"aria-label": "Step of the sample",
						"aria-valuetext": `step ${step.value}`
					}, null, 8, _hoisted_3$5), [[
						vModelText,
						index.value,
						void 0,
						{ number: true }
					]]),
					createBaseVNode("span", _hoisted_4$3, "step " + toDisplayString(step.value) + toDisplayString(index.value === steps.value.length - 1 ? ", newest" : ""), 1),
					shown.value.length > 1 ? (openBlock(), createElementBlock("button", {
						key: 0,
						type: "button",
						class: "et-link",
						onClick: play
					}, "Play all")) : createCommentVNode("", true)
				])) : createCommentVNode("", true),
				createBaseVNode("div", _hoisted_5$3, [dataset.value ? (openBlock(), createBlock(ReferenceClip_default, {
					key: 0,
					dataset: dataset.value,
					label: shown.value[0]?.label ?? ""
				}, null, 8, ["dataset", "label"])) : __props.still ? (openBlock(), createElementBlock("figure", _hoisted_6$3, [createBaseVNode("img", {
					src: __props.still,
					alt: "Reference"
				}, null, 8, _hoisted_7$2), _cache[1] || (_cache[1] = createBaseVNode("figcaption", null, "Reference", -1))])) : createCommentVNode("", true), (openBlock(true), createElementBlock(Fragment, null, renderList(shown.value, (sample) => {
					return openBlock(), createElementBlock("figure", {
						key: sample.label,
						"data-sample": sample.file
					}, [isPicture(sample) ? (openBlock(), createElementBlock("img", {
						key: 0,
						src: unref(training).client.sampleUrl(__props.job.id, sample),
						alt: unref(sampleName)(sample)
					}, null, 8, _hoisted_9$2)) : (openBlock(), createElementBlock("video", {
						key: 1,
						ref_for: true,
						ref_key: "videos",
						ref: videos,
						src: unref(training).client.sampleUrl(__props.job.id, sample),
						controls: "",
						playsinline: "",
						loop: "",
						preload: "auto"
					}, null, 8, _hoisted_10$2)), createBaseVNode("figcaption", { title: sample.file }, toDisplayString(shown.value.length > 1 ? unref(sampleName)(sample) : `Step ${sample.step}`), 9, _hoisted_11$2)], 8, _hoisted_8$2);
				}), 128))])
			], 64);
		};
	}
});
// src/view/training/JobView.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$5 = ["aria-label"];
// src/view/training/JobView.vue
var JobView_default = /* @__PURE__ */ defineComponent({
	__name: "JobView",
	props: { job: {} },
	emits: ["close"],
	setup(__props) {
		const { training } = services();
		const feed = computed(() => training.feed.value);
		const newest = computed(() => {
			const step = feed.value?.samples.value.at(-1)?.step;
			return typeof step === "number" ? `step ${step}` : "";
		});
		async function rename(name) {
			training.putJob(await training.client.changeJob(__props.job.id, { name }));
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("article", { "aria-label": `Fine-tune ${__props.job.name}` }, [
				createVNode(DetailHead_default, {
					back: "All fine-tunes",
					name: __props.job.name,
					rename,
					onClose: _cache[0] || (_cache[0] = ($event) => _ctx.$emit("close"))
				}, null, 8, ["name"]),
				__props.job.state === "failed" ? (openBlock(), createBlock(FailureCard_default, {
					key: 0,
					title: "The fine-tune failed",
					text: unref(sentence)(__props.job.reason || "its log says why")
				}, null, 8, ["text"])) : createCommentVNode("", true),
				createVNode(JobStatus_default, { job: __props.job }, null, 8, ["job"]),
				createVNode(JobActions_default, { job: __props.job }, null, 8, ["job"]),
				feed.value ? (openBlock(), createElementBlock(Fragment, { key: 1 }, [
					createVNode(FoldSection_default, {
						name: "curve",
						title: "Curve"
					}, {
						default: withCtx(() => [createVNode(CurvePanel_default, {
							curve: feed.value.curve.value,
							waiting: !feed.value.loaded.value
						}, null, 8, ["curve", "waiting"])]),
						_: 1
					}),
					createVNode(FoldSection_default, {
						name: "samples",
						title: "Samples",
						note: newest.value
					}, {
						default: withCtx(() => [createVNode(SampleView_default, {
							job: __props.job,
							samples: feed.value.samples.value,
							still: feed.value.checkpoints.value.at(-1)?.preview ?? ""
						}, null, 8, [
							"job",
							"samples",
							"still"
						])]),
						_: 1
					}, 8, ["note"]),
					createVNode(FoldSection_default, {
						name: "checkpoints",
						title: "Checkpoints",
						note: String(feed.value.checkpoints.value.length || "")
					}, {
						default: withCtx(() => [createVNode(CheckpointList_default, {
							job: __props.job,
							checkpoints: feed.value.checkpoints.value
						}, null, 8, ["job", "checkpoints"])]),
						_: 1
					}, 8, ["note"]),
					createVNode(FoldSection_default, {
						name: "log",
						title: "Log"
					}, {
						default: withCtx(() => [createVNode(LogTail_default, { text: feed.value.log.value }, null, 8, ["text"])]),
						_: 1
					}),
					createVNode(FoldSection_default, {
						name: "settings",
						title: "Settings",
						closed: ""
					}, {
						default: withCtx(() => [createVNode(JobFacts_default, { job: __props.job }, null, 8, ["job"])]),
						_: 1
					})
				], 64)) : createCommentVNode("", true)
			], 8, _hoisted_1$5);
		};
	}
});
// src/view/training/MemoryEstimate.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$4 = ["aria-busy"];
var _hoisted_2$4 = { class: "et-line" };
var _hoisted_3$4 = {
	key: 0,
	class: "et-when"
};
var _hoisted_4$2 = {
	key: 0,
	class: "et-help"
};
var _hoisted_5$2 = {
	key: 1,
	class: "et-note"
};
var _hoisted_6$2 = {
	key: 2,
	class: "et-bad"
};
var PAUSE = 600;
// src/view/training/MemoryEstimate.vue
var MemoryEstimate_default = /* @__PURE__ */ defineComponent({
	__name: "MemoryEstimate",
	props: { of: {} },
	setup(__props) {
		const { client, options } = services().training;
		const found = /* @__PURE__ */ ref();
		const problem = /* @__PURE__ */ ref("");
		const asking = /* @__PURE__ */ ref(false);
		let timer;
		let under = false;
		const question = computed(() => __props.of ? JSON.stringify(__props.of) : "");
		const parts = computed(() => Object.entries(found.value?.parts ?? {}).sort(([, a], [, b]) => b - a).map(([name, size]) => `${name} ${bytes(size)}`).join(", "));
		const warning = computed(() => {
			if (!found.value || found.value.fits) return "";
			const { needed_bytes, free_bytes, total_bytes, device } = found.value;
			const name = options.value?.devices.find(({ id }) => id === device)?.name || device;
			const hope = needed_bytes <= total_bytes ? "Free some memory, or choose smaller settings." : "Choose smaller settings or another device.";
			return `It needs about ${bytes(needed_bytes)}, and ${name} has ${bytes(free_bytes)} free. ${hope}`;
		});
		watch(question, (now) => {
			clearTimeout(timer);
			if (!now) found.value = void 0;
			asking.value = now !== "";
			if (now) timer = setTimeout(() => void ask(), PAUSE);
		}, { immediate: true });
		onBeforeUnmount(() => clearTimeout(timer));
		async function ask() {
			if (under) return;
			under = true;
			for (let asked = ""; __props.of && asked !== question.value;) {
				asked = question.value;
				try {
					found.value = await client.estimate(__props.of);
					problem.value = "";
				} catch (error) {
					found.value = void 0;
					problem.value = error instanceof Away ? "" : sentence(messageOf(error));
				}
			}
			under = asking.value = false;
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock(Fragment, null, [__props.of ? (openBlock(), createElementBlock("section", {
				key: 0,
				"aria-label": "Memory",
				"aria-live": "polite",
				"aria-busy": asking.value
			}, [
				found.value ? (openBlock(), createElementBlock(Fragment, { key: 0 }, [
					createBaseVNode("p", _hoisted_2$4, [createBaseVNode("span", null, "Needs " + toDisplayString(unref(bytes)(found.value.needed_bytes)) + " of " + toDisplayString(unref(bytes)(found.value.free_bytes)) + " free", 1), found.value.seconds ? (openBlock(), createElementBlock("span", _hoisted_3$4, "about " + toDisplayString(unref(duration)(found.value.seconds)), 1)) : createCommentVNode("", true)]),
					createBaseVNode("span", {
						class: normalizeClass(["et-memory", { "et-over": !found.value.fits }]),
						style: normalizeStyle({
							"--used": 1 - found.value.free_bytes / (found.value.total_bytes || 1),
							"--needed": Math.min(1, found.value.needed_bytes / (found.value.total_bytes || 1))
						})
					}, [..._cache[0] || (_cache[0] = [createBaseVNode("span", null, null, -1), createBaseVNode("span", null, null, -1)])], 6),
					parts.value ? (openBlock(), createElementBlock("p", _hoisted_4$2, toDisplayString(parts.value), 1)) : createCommentVNode("", true)
				], 64)) : asking.value ? (openBlock(), createElementBlock("p", _hoisted_5$2, "Estimating the memory")) : createCommentVNode("", true),
				problem.value ? (openBlock(), createElementBlock("p", _hoisted_6$2, toDisplayString(problem.value), 1)) : createCommentVNode("", true),
				warning.value ? (openBlock(), createBlock(FailureCard_default, {
					key: 3,
					mild: "",
					title: "It does not fit now",
					text: warning.value
				}, null, 8, ["text"])) : createCommentVNode("", true)
			], 8, _hoisted_1$4)) : createCommentVNode("", true), renderSlot(_ctx.$slots, "default", { fits: found.value?.fits ?? true })], 64);
		};
	}
});
// src/view/training/SettingField.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$3 = ["data-setting"];
var _hoisted_2$3 = { class: "et-line" };
var _hoisted_3$3 = ["for"];
var _hoisted_4$1 = [
	"id",
	"checked",
	"aria-describedby"
];
var _hoisted_5$1 = ["aria-label"];
var _hoisted_6$1 = [
	"id",
	"value",
	"aria-describedby"
];
var _hoisted_7$1 = ["value"];
var _hoisted_8$1 = [
	"id",
	"value",
	"aria-describedby"
];
var _hoisted_9$1 = [
	"id",
	"value",
	"inputmode",
	"aria-invalid",
	"aria-describedby"
];
var _hoisted_10$1 = ["id"];
var _hoisted_11$1 = ["id"];
// src/view/training/SettingField.vue
var SettingField_default = /* @__PURE__ */ defineComponent({
	__name: "SettingField",
	props: {
		field: {},
		draft: {}
	},
	emits: ["set"],
	setup(__props, { emit: __emit }) {
		/** undefined: back to the default. */
		const emit = __emit;
		const id = useId();
		const value = computed(() => shown(__props.field, __props.draft));
		const problem = computed(() => problemOf(__props.field, __props.draft));
		/** "Default: 400", or of what has no short one "Default". */
		const normal = computed(() => {
			const { initial } = __props.field;
			const text = typeof initial === "boolean" ? initial ? "on" : "off" : String(initial);
			return text && text.length < 20 ? `Default: ${text}` : "Default";
		});
		const changed = computed(() => __props.field.key in __props.draft);
		const described = computed(() => [__props.field.help && `${id}-help`, problem.value && `${id}-problem`].filter(Boolean).join(" ") || void 0);
		function give(event) {
			const input = event.target;
			const given = __props.field.kind === "boolean" ? input.checked : input.value;
			emit("set", given === shown(__props.field, {}) ? void 0 : given);
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("div", {
				class: "et-field",
				"data-setting": __props.field.key
			}, [
				createBaseVNode("div", _hoisted_2$3, [createBaseVNode("label", { for: unref(id) }, [__props.field.kind === "boolean" ? (openBlock(), createElementBlock("input", {
					key: 0,
					id: unref(id),
					type: "checkbox",
					checked: value.value === true,
					"aria-describedby": described.value,
					onChange: give
				}, null, 40, _hoisted_4$1)) : createCommentVNode("", true), createTextVNode(" " + toDisplayString(__props.field.title), 1)], 8, _hoisted_3$3), changed.value ? (openBlock(), createElementBlock("button", {
					key: 0,
					type: "button",
					class: "et-link",
					"aria-label": `Default of ${__props.field.title}`,
					onClick: _cache[0] || (_cache[0] = ($event) => emit("set", void 0))
				}, toDisplayString(normal.value), 9, _hoisted_5$1)) : createCommentVNode("", true)]),
				__props.field.kind === "choice" ? (openBlock(), createElementBlock("select", {
					key: 0,
					id: unref(id),
					class: "et-input",
					value: value.value,
					"aria-describedby": described.value,
					onChange: give
				}, [(openBlock(true), createElementBlock(Fragment, null, renderList(__props.field.choices, (choice) => {
					return openBlock(), createElementBlock("option", {
						key: String(choice),
						value: String(choice)
					}, toDisplayString(choice), 9, _hoisted_7$1);
				}), 128))], 40, _hoisted_6$1)) : __props.field.kind === "list" ? (openBlock(), createElementBlock("textarea", {
					key: 1,
					id: unref(id),
					class: "et-input",
					rows: "3",
					value: String(value.value),
					"aria-describedby": described.value,
					onInput: give
				}, null, 40, _hoisted_8$1)) : __props.field.kind !== "boolean" ? (openBlock(), createElementBlock("input", {
					key: 2,
					id: unref(id),
					class: "et-input",
					value: value.value,
					inputmode: __props.field.kind === "text" ? "text" : __props.field.kind === "integer" ? "numeric" : "decimal",
					"aria-invalid": problem.value !== "",
					"aria-describedby": described.value,
					autocomplete: "off",
					onInput: give
				}, null, 40, _hoisted_9$1)) : createCommentVNode("", true),
				problem.value ? (openBlock(), createElementBlock("p", {
					key: 3,
					id: `${unref(id)}-problem`,
					class: "et-bad",
					role: "alert"
				}, toDisplayString(problem.value), 9, _hoisted_10$1)) : createCommentVNode("", true),
				__props.field.help ? (openBlock(), createElementBlock("p", {
					key: 4,
					id: `${unref(id)}-help`,
					class: "et-help"
				}, toDisplayString(__props.field.help), 9, _hoisted_11$1)) : createCommentVNode("", true)
			], 8, _hoisted_1$3);
		};
	}
});
// src/view/training/NewJob.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$2 = {
	key: 0,
	class: "et-note",
	role: "status"
};
var _hoisted_2$2 = { class: "et-field" };
var _hoisted_3$2 = ["for"];
var _hoisted_4 = ["id", "maxlength"];
var _hoisted_5 = { class: "et-field" };
var _hoisted_6 = ["for"];
var _hoisted_7 = ["id", "value"];
var _hoisted_8 = ["value"];
var _hoisted_9 = ["id"];
var _hoisted_10 = {
	key: 0,
	class: "et-field"
};
var _hoisted_11 = ["for"];
var _hoisted_12 = ["id", "value"];
var _hoisted_13 = {
	key: 0,
	class: "et-help"
};
var _hoisted_14 = {
	key: 1,
	class: "et-field"
};
var _hoisted_15 = ["for"];
var _hoisted_16 = ["id", "value"];
var _hoisted_17 = ["value"];
var _hoisted_18 = ["open"];
var _hoisted_19 = { class: "et-line et-controls" };
var _hoisted_20 = ["disabled"];
var _hoisted_21 = {
	key: 0,
	class: "et-note"
};
// src/view/training/NewJob.vue
var NewJob_default = /* @__PURE__ */ defineComponent({
	__name: "NewJob",
	setup(__props) {
		const { training } = services();
		const { options, datasets, online } = training;
		const { busy, problem, run } = useAttempt();
		const place = usePlace();
		const draft = rememberedDraft();
		const id = useId();
		const preset = computed(() => {
			const all = options.value?.presets ?? [];
			return all.find(({ name }) => name === draft.value.preset) ?? all[0];
		});
		const dataset = computed(() => training.findDataset(draft.value.dataset) ?? datasets.value[0]);
		const device = computed(() => {
			const all = options.value?.devices ?? [];
			return all.find((one) => one.id === draft.value.device) ?? all[0];
		});
		const fields = computed(() => preset.value ? fieldsOf(preset.value.schema) : []);
		const plain = computed(() => fields.value.filter(({ advanced }) => !advanced));
		const advanced = computed(() => fields.value.filter((field) => field.advanced));
		const values = computed(() => draft.value.values[preset.value?.name ?? ""] ?? {});
		const settings = computed(() => settingsOf(fields.value, values.value));
		const asked = computed(() => preset.value && device.value && dataset.value && settings.value ? {
			preset: preset.value.name,
			device: device.value.id,
			dataset: dataset.value.id,
			settings: settings.value
		} : null);
		/** Why it cannot be started yet; empty if it can. */
		const missing = computed(() => {
			if (!dataset.value) return "Make a dataset first.";
			if (!dataset.value.usable) return "The dataset has no usable clip.";
			if (!settings.value) return "A setting is out of its range.";
			return draft.value.name.trim() ? "" : "Give it a name.";
		});
		watch(() => place.value.section, (section) => section === "new" && void training.loadOptions(), { immediate: true });
		function set(key, value) {
			const name = preset.value?.name ?? "";
			const { [key]: _, ...others } = values.value;
			draft.value.values = {
				...draft.value.values,
				[name]: value === void 0 ? others : {
					...others,
					[key]: value
				}
			};
		}
		function create() {
			const what = asked.value;
			if (!what || missing.value) return;
			run(async () => {
				const job = await training.client.createJob({
					...what,
					name: draft.value.name.trim()
				});
				training.putJob(job);
				draft.value.name = "";
				place.value = {
					...place.value,
					section: "jobs",
					job: job.id
				};
			});
		}
		return (_ctx, _cache) => {
			return !unref(options) ? (openBlock(), createElementBlock("p", _hoisted_1$2, "Asking what can be fine-tuned")) : (openBlock(), createElementBlock("form", {
				key: 1,
				class: "et-form",
				role: "tabpanel",
				"aria-labelledby": "et-section-new",
				onSubmit: withModifiers(create, ["prevent"])
			}, [
				createBaseVNode("div", _hoisted_2$2, [createBaseVNode("label", { for: `${unref(id)}-name` }, "Name", 8, _hoisted_3$2), withDirectives(createBaseVNode("input", {
					id: `${unref(id)}-name`,
					"onUpdate:modelValue": _cache[0] || (_cache[0] = ($event) => unref(draft).name = $event),
					class: "et-input",
					maxlength: unref(options).limits.name_length,
					autocomplete: "off"
				}, null, 8, _hoisted_4), [[vModelText, unref(draft).name]])]),
				createBaseVNode("div", _hoisted_5, [createBaseVNode("label", { for: `${unref(id)}-dataset` }, "Dataset", 8, _hoisted_6), unref(datasets).length ? (openBlock(), createElementBlock("select", {
					key: 0,
					id: `${unref(id)}-dataset`,
					class: "et-input",
					value: dataset.value?.id,
					onChange: _cache[1] || (_cache[1] = ($event) => unref(draft).dataset = $event.target.value)
				}, [(openBlock(true), createElementBlock(Fragment, null, renderList(unref(datasets), (one) => {
					return openBlock(), createElementBlock("option", {
						key: one.id,
						value: one.id
					}, toDisplayString(one.name) + " (" + toDisplayString(unref(clipsOf)(one.clips, one.usable)) + ")", 9, _hoisted_8);
				}), 128))], 40, _hoisted_7)) : (openBlock(), createElementBlock("button", {
					key: 1,
					id: `${unref(id)}-dataset`,
					type: "button",
					class: "et-button",
					onClick: _cache[2] || (_cache[2] = ($event) => unref(place).section = "datasets")
				}, "Make a dataset", 8, _hoisted_9))]),
				unref(options).presets.length > 1 ? (openBlock(), createElementBlock("div", _hoisted_10, [
					createBaseVNode("label", { for: `${unref(id)}-preset` }, "Preset", 8, _hoisted_11),
					createBaseVNode("select", {
						id: `${unref(id)}-preset`,
						class: "et-input",
						value: preset.value?.name,
						onChange: _cache[3] || (_cache[3] = ($event) => unref(draft).preset = $event.target.value)
					}, [(openBlock(true), createElementBlock(Fragment, null, renderList(unref(options).presets, ({ name }) => {
						return openBlock(), createElementBlock("option", { key: name }, toDisplayString(name), 1);
					}), 128))], 40, _hoisted_12),
					preset.value?.schema.description ? (openBlock(), createElementBlock("p", _hoisted_13, toDisplayString(preset.value.schema.description), 1)) : createCommentVNode("", true)
				])) : createCommentVNode("", true),
				unref(options).devices.length > 1 ? (openBlock(), createElementBlock("div", _hoisted_14, [createBaseVNode("label", { for: `${unref(id)}-device` }, "Device", 8, _hoisted_15), createBaseVNode("select", {
					id: `${unref(id)}-device`,
					class: "et-input",
					value: device.value?.id,
					onChange: _cache[4] || (_cache[4] = ($event) => unref(draft).device = $event.target.value)
				}, [(openBlock(true), createElementBlock(Fragment, null, renderList(unref(options).devices, (one) => {
					return openBlock(), createElementBlock("option", {
						key: one.id,
						value: one.id
					}, toDisplayString(one.name || one.id), 9, _hoisted_17);
				}), 128))], 40, _hoisted_16)])) : createCommentVNode("", true),
				(openBlock(true), createElementBlock(Fragment, null, renderList(plain.value, (field) => {
					return openBlock(), createBlock(SettingField_default, {
						key: field.key,
						field,
						draft: values.value,
						onSet: ($event) => set(field.key, $event)
					}, null, 8, [
						"field",
						"draft",
						"onSet"
					]);
				}), 128)),
				advanced.value.length ? (openBlock(), createElementBlock("details", {
					key: 2,
					class: "et-fold",
					open: advanced.value.some(({ key }) => key in values.value)
				}, [_cache[5] || (_cache[5] = createBaseVNode("summary", null, [createBaseVNode("h3", null, "Advanced")], -1)), (openBlock(true), createElementBlock(Fragment, null, renderList(advanced.value, (field) => {
					return openBlock(), createBlock(SettingField_default, {
						key: field.key,
						field,
						draft: values.value,
						onSet: ($event) => set(field.key, $event)
					}, null, 8, [
						"field",
						"draft",
						"onSet"
					]);
				}), 128))], 8, _hoisted_18)) : createCommentVNode("", true),
				createVNode(MemoryEstimate_default, { of: asked.value }, {
					default: withCtx(({ fits }) => [unref(problem) ? (openBlock(), createBlock(FailureCard_default, {
						key: 0,
						title: "The fine-tune was not made",
						text: unref(problem)
					}, null, 8, ["text"])) : createCommentVNode("", true), createBaseVNode("div", _hoisted_19, [createBaseVNode("button", {
						type: "submit",
						class: "et-button et-main",
						disabled: unref(busy) || !unref(online) || missing.value !== ""
					}, toDisplayString(fits ? "Start" : "Start anyway"), 9, _hoisted_20), missing.value ? (openBlock(), createElementBlock("span", _hoisted_21, toDisplayString(missing.value), 1)) : createCommentVNode("", true)])]),
					_: 1
				}, 8, ["of"])
			], 32));
		};
	}
});
// src/view/training/TrainingView.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1$1 = {
	key: 3,
	class: "et-note",
	role: "status"
};
var _hoisted_2$1 = ["data-open"];
var _hoisted_3$1 = ["data-open"];
// src/view/training/TrainingView.vue
var TrainingView_default = /* @__PURE__ */ defineComponent({
	__name: "TrainingView",
	setup(__props) {
		const { training } = services();
		const { online, loaded, refused, options } = training;
		const place = rememberedPlace();
		provide(PLACE, place);
		const root = useTemplateRef("root");
		const job = computed(() => training.findJob(place.value.job));
		const dataset = computed(() => training.findDataset(place.value.dataset));
		const section = computed({
			get: () => place.value.section,
			set: (chosen) => place.value = {
				...place.value,
				section: chosen
			}
		});
		let presence;
		let present = false;
		watch(() => [
			place.value.section,
			place.value.job,
			place.value.dataset
		], ([now, openJob, openDataset]) => {
			if (now === "jobs") training.open(openJob ? { job: openJob } : null);
			else training.open(now === "datasets" && openDataset ? { dataset: openDataset } : null);
		}, { immediate: true });
		watch([loaded, job], ([known, found]) => known && place.value.job && !found && void close("job"));
		watch([loaded, dataset], ([known, found]) => known && place.value.dataset && !found && void close("dataset"));
		watch(online, (now) => now && !options.value && void training.loadOptions());
		onMounted(() => {
			presence = new IntersectionObserver((entries) => look(entries.at(-1)?.isIntersecting ?? false));
			if (root.value) presence.observe(root.value);
			document.addEventListener("visibilitychange", see);
			training.loadOptions();
		});
		onActivated(() => look(true));
		onDeactivated(() => look(false));
		onBeforeUnmount(() => {
			presence?.disconnect();
			document.removeEventListener("visibilitychange", see);
			training.show(false);
		});
		/** The host takes our panel away without a word, and browsers hide whole pages: then nobody needs news. */
		function look(seen) {
			present = seen;
			see();
		}
		function see() {
			training.show(present && document.visibilityState === "visible");
		}
		/** By the user: what appears is at the top, and what was pressed may be hidden, so that the keyboard goes on there. */
		async function open(what, id) {
			place.value = {
				...place.value,
				[what]: id
			};
			await nextTick();
			root.value?.parentElement?.scrollTo({ top: 0 });
			focus(".et-back");
		}
		async function close(what) {
			const id = place.value[what];
			place.value = {
				...place.value,
				[what]: ""
			};
			await nextTick();
			focus(`[data-${what}="${id}"]`);
		}
		function focus(selector) {
			if (document.activeElement === document.body || !document.activeElement.offsetParent) root.value?.querySelector(selector)?.focus({ preventScroll: true });
		}
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("div", {
				ref_key: "root",
				ref: root,
				class: "et-view et-training",
				role: "tabpanel",
				"aria-labelledby": "et-tab-identities"
			}, [
				!unref(online) ? (openBlock(), createBlock(FailureCard_default, {
					key: 0,
					mild: "",
					title: "ComfyUI does not answer",
					text: "The panel goes on by itself when it is back. Jobs that run go on without it."
				})) : createCommentVNode("", true),
				unref(refused) && unref(refused) !== unref(options)?.problem ? (openBlock(), createBlock(FailureCard_default, {
					key: 1,
					title: "ComfyUI refuses this",
					text: unref(sentence)(unref(refused)),
					action: "Try again",
					onAct: _cache[0] || (_cache[0] = ($event) => unref(training).refresh())
				}, null, 8, ["text"])) : createCommentVNode("", true),
				unref(options)?.problem ? (openBlock(), createBlock(FailureCard_default, {
					key: 2,
					mild: "",
					title: "Nothing can be fine-tuned here",
					text: unref(sentence)(unref(options).problem)
				}, null, 8, ["text"])) : createCommentVNode("", true),
				createVNode(ViewSwitch_default, {
					modelValue: section.value,
					"onUpdate:modelValue": _cache[1] || (_cache[1] = ($event) => section.value = $event),
					views: unref(SECTIONS),
					label: "Identities",
					name: "et-section"
				}, null, 8, ["modelValue", "views"]),
				!unref(loaded) && unref(online) && !unref(refused) ? (openBlock(), createElementBlock("p", _hoisted_1$1, "Asking ComfyUI")) : createCommentVNode("", true),
				unref(loaded) && unref(place).section === "jobs" ? (openBlock(), createElementBlock("div", {
					key: 4,
					class: "et-split",
					"data-open": job.value !== void 0,
					role: "tabpanel",
					"aria-labelledby": "et-section-jobs"
				}, [createVNode(JobList_default, {
					class: "et-master",
					onSelect: _cache[2] || (_cache[2] = ($event) => open("job", $event))
				}), job.value ? (openBlock(), createBlock(JobView_default, {
					key: job.value.id,
					class: "et-detail",
					job: job.value,
					onClose: _cache[3] || (_cache[3] = ($event) => close("job"))
				}, null, 8, ["job"])) : createCommentVNode("", true)], 8, _hoisted_2$1)) : createCommentVNode("", true),
				unref(loaded) && unref(place).section === "datasets" ? (openBlock(), createElementBlock("div", {
					key: 5,
					class: "et-split",
					"data-open": dataset.value !== void 0,
					role: "tabpanel",
					"aria-labelledby": "et-section-datasets"
				}, [createVNode(DatasetList_default, {
					class: "et-master",
					onSelect: _cache[4] || (_cache[4] = ($event) => open("dataset", $event))
				}), dataset.value ? (openBlock(), createBlock(DatasetView_default, {
					key: dataset.value.id,
					class: "et-detail",
					dataset: dataset.value,
					onClose: _cache[5] || (_cache[5] = ($event) => close("dataset"))
				}, null, 8, ["dataset"])) : createCommentVNode("", true)], 8, _hoisted_3$1)) : createCommentVNode("", true),
				unref(loaded) && !unref(options)?.problem && unref(place).section === "new" ? (openBlock(), createBlock(NewJob_default, { key: 6 })) : createCommentVNode("", true)
			], 512);
		};
	}
});
// src/view/Panel.vue?vue&type=script&setup=true&lang.ts
var _hoisted_1 = { class: "et-panel" };
var _hoisted_2 = { class: "et-head" };
var _hoisted_3 = ["data-online"];
// src/view/Panel.vue
var Panel_default = /* @__PURE__ */ defineComponent({
	__name: "Panel",
	setup(__props) {
		const VIEWS = [{
			id: "videos",
			title: "Videos"
		}, {
			id: "identities",
			title: "Identities"
		}];
		const { store, training } = services();
		const isView = (value) => VIEWS.some(({ id }) => id === value);
		const view = remembered("view", "videos", isView);
		const broken = /* @__PURE__ */ ref("");
		const status = computed(() => {
			const { online, loaded, refused } = view.value === "videos" ? store : training;
			if (!online.value) return {
				online: false,
				text: "no connection"
			};
			const count = view.value === "videos" ? store.running.value.length : training.running.value.length;
			return {
				online: true,
				text: !loaded.value || refused.value ? "" : count ? `${count} running` : "idle"
			};
		});
		onErrorCaptured((error) => {
			broken.value = error.message;
			return false;
		});
		return (_ctx, _cache) => {
			return openBlock(), createElementBlock("div", _hoisted_1, [
				createBaseVNode("header", _hoisted_2, [_cache[1] || (_cache[1] = createBaseVNode("h2", null, "EchoTorrent", -1)), status.value.text ? (openBlock(), createElementBlock("span", {
					key: 0,
					class: "et-status",
					"data-online": status.value.online
				}, toDisplayString(status.value.text), 9, _hoisted_3)) : createCommentVNode("", true)]),
				createVNode(ViewSwitch_default, {
					modelValue: unref(view),
					"onUpdate:modelValue": _cache[0] || (_cache[0] = ($event) => /* @__PURE__ */ isRef(view) ? view.value = $event : null),
					views: VIEWS,
					label: "What to show",
					name: "et-tab"
				}, null, 8, ["modelValue"]),
				broken.value ? (openBlock(), createBlock(FailureCard_default, {
					key: 0,
					title: "The panel has a fault",
					text: `${unref(sentence)(broken.value)} Reload the page.`
				}, null, 8, ["text"])) : createCommentVNode("", true),
				(openBlock(), createBlock(KeepAlive, null, [unref(view) === "videos" ? (openBlock(), createBlock(RunsView_default, { key: 0 })) : (openBlock(), createBlock(TrainingView_default, { key: 1 }))], 1024))
			]);
		};
	}
});
// src/view/training/training.css?inline
var training_default = ".et-run[data-state=\"starting\"] .et-state,\n.et-about[data-job-state=\"running\"] .et-state {\n  color: var(--et-strong);\n}\n.et-about[data-job-state=\"failed\"] .et-state {\n  color: var(--et-error);\n}\n.et-fold {\n  border-top: 1px solid var(--et-line);\n}\n.et-fold > summary {\n  display: flex;\n  align-items: baseline;\n  gap: 6px;\n  padding: 8px 0;\n  cursor: pointer;\n}\n.et-fold > summary::before {\n  content: \"\";\n  width: 6px;\n  height: 6px;\n  border: solid var(--et-dim);\n  border-width: 0 1.5px 1.5px 0;\n  transform: translateY(-2px) rotate(-45deg);\n}\n.et-fold[open] > summary::before {\n  transform: translateY(-3px) rotate(45deg);\n}\n.et-fold > summary > .et-when {\n  margin-left: auto;\n}\n.et-fold > summary ~ * + * {\n  margin-top: 8px;\n}\n.et-root .et-fold > summary > h3 {\n  color: var(--et-strong);\n}\n\n.et-curve {\n  border-radius: 6px;\n  cursor: crosshair;\n  touch-action: pan-y;\n  user-select: none;\n}\n.et-curve svg {\n  display: block;\n  width: 100%;\n  overflow: visible;\n}\n.et-grid line {\n  stroke: var(--et-line);\n  stroke-width: 1;\n  opacity: 0.6;\n}\n.et-grid text {\n  fill: var(--et-dim);\n  font-size: 11px;\n  font-variant-numeric: tabular-nums;\n}\n.et-raw {\n  stroke-width: 1;\n  opacity: 0.35;\n}\n.et-smooth {\n  stroke-width: 1.8;\n  stroke-linejoin: round;\n  stroke-linecap: round;\n}\n.et-pointer {\n  stroke: var(--et-dim);\n  stroke-dasharray: 3 3;\n}\n.et-marked {\n  fill: var(--et-accent);\n  opacity: 0.22;\n}\n.et-legend {\n  display: flex;\n  flex-wrap: wrap;\n  align-items: center;\n  gap: 4px;\n}\n.et-step {\n  min-width: 68px;\n}\n.et-chip {\n  display: inline-flex;\n  align-items: center;\n  gap: 5px;\n  padding: 2px 8px;\n  border: 1px solid var(--et-line);\n  border-radius: 12px;\n  background: none;\n  color: var(--et-fg);\n  font: inherit;\n  font-size: 12px;\n  cursor: pointer;\n}\n.et-chip[aria-pressed=\"false\"] {\n  color: var(--et-dim);\n  border-style: dashed;\n}\n.et-swatch {\n  width: 8px;\n  height: 8px;\n  border-radius: 50%;\n}\n.et-chip[aria-pressed=\"false\"] .et-swatch {\n  opacity: 0.35;\n}\n\n.et-beside {\n  display: grid;\n  grid-template-columns: repeat(auto-fit, minmax(min(130px, 100%), 1fr));\n  gap: 8px;\n}\n.et-beside figure {\n  min-width: 0;\n  max-width: 320px;\n  margin: 0;\n}\n.et-beside :is(video, img) {\n  display: block;\n  width: 100%;\n  aspect-ratio: 1;\n  border-radius: 6px;\n  background: #000;\n  object-fit: contain;\n}\n.et-beside figcaption {\n  overflow: hidden;\n  margin-top: 4px;\n  color: var(--et-dim);\n  font-size: 12px;\n  text-overflow: ellipsis;\n  white-space: nowrap;\n}\n.et-beside figcaption select {\n  width: 100%;\n}\n.et-steps {\n  display: flex;\n  align-items: center;\n  gap: 8px;\n}\n.et-steps [type=\"range\"] {\n  flex: 1;\n}\n\n.et-checkpoints {\n  max-height: 300px;\n  overflow-y: auto;\n}\n.et-checkpoints li {\n  display: flex;\n  flex-wrap: wrap;\n  align-items: center;\n  justify-content: space-between;\n  gap: 4px 10px;\n  padding: 6px 0;\n  border-bottom: 1px solid color-mix(in srgb, var(--et-line) 60%, transparent);\n}\n.et-checkpoints form {\n  flex-basis: 100%;\n}\n.et-tick {\n  display: flex;\n  align-items: center;\n  gap: 6px;\n}\n.et-tick img {\n  width: 28px;\n  height: 28px;\n  border-radius: 4px;\n  object-fit: cover;\n}\n.et-checkpoints .et-buttons {\n  gap: 10px;\n}\n.et-comparison {\n  display: grid;\n  gap: 8px;\n}\n.et-comparison .et-beside figcaption {\n  display: flex;\n}\n.et-comparison video {\n  cursor: pointer;\n}\n\n.et-log {\n  max-height: 200px;\n  margin: 0;\n  padding: 8px;\n  overflow: auto;\n  border-radius: 6px;\n  background: var(--et-surface);\n  font: 11px/1.5 ui-monospace, monospace;\n  white-space: pre-wrap;\n  overflow-wrap: anywhere;\n}\n.et-facts {\n  display: grid;\n  gap: 2px;\n  margin: 0;\n}\n.et-facts > div {\n  display: flex;\n  justify-content: space-between;\n  gap: 12px;\n}\n.et-facts dt {\n  color: var(--et-dim);\n}\n.et-facts dd {\n  margin: 0;\n  text-align: right;\n  overflow-wrap: anywhere;\n}\n.et-facts .et-changed dd {\n  color: var(--et-strong);\n  font-weight: 600;\n}\n.et-drop {\n  display: flex;\n  flex-wrap: wrap;\n  align-items: center;\n  justify-content: center;\n  gap: 4px 12px;\n  padding: 14px;\n  border: 1px dashed var(--et-line);\n  border-radius: 8px;\n  color: var(--et-dim);\n}\n.et-drop.et-over {\n  border-color: var(--et-accent);\n  background: color-mix(in srgb, var(--et-accent) 12%, transparent);\n}\n.et-uploads {\n  display: grid;\n  gap: 6px;\n}\n.et-uploads .et-bar {\n  display: block;\n  margin-top: 3px;\n}\n.et-uploads .et-name {\n  flex: 1;\n}\n.et-clips {\n  display: grid;\n  grid-template-columns: minmax(0, 1fr);\n  gap: 8px;\n}\n.et-clip {\n  display: grid;\n  grid-template-columns: 72px minmax(0, 1fr);\n  gap: 6px 10px;\n  padding: 6px;\n  border: 1px solid color-mix(in srgb, var(--et-line) 60%, transparent);\n  border-radius: 8px;\n}\n.et-clip[data-used=\"false\"] > :is(.et-thumb, .et-clip-about) {\n  opacity: 0.55;\n}\n.et-thumb {\n  display: grid;\n  place-content: center;\n  align-self: start;\n  width: 72px;\n  height: 72px;\n  padding: 0;\n  overflow: hidden;\n  border: 0;\n  border-radius: 6px;\n  background: #000;\n  color: #aaa;\n  cursor: pointer;\n}\n.et-thumb img {\n  width: 72px;\n  height: 72px;\n  object-fit: cover;\n}\n.et-clip-about {\n  display: grid;\n  grid-template-columns: minmax(0, 1fr);\n  align-content: start;\n  gap: 3px;\n  min-width: 0;\n}\n.et-clip .et-line {\n  align-items: center;\n}\n.et-badge {\n  padding: 0 8px;\n  border-radius: 10px;\n  background: color-mix(in srgb, var(--et-fg) 12%, transparent);\n  font-size: 12px;\n  white-space: nowrap;\n}\n.et-badge[data-kind=\"good\"] {\n  background: color-mix(in srgb, #4caf50 30%, transparent);\n}\n.et-badge[data-kind=\"bad\"] {\n  background: color-mix(in srgb, var(--et-error) 30%, transparent);\n}\n.et-clip-edit,\n.et-clip > .et-bad {\n  grid-column: 1 / -1;\n}\n.et-clip-edit {\n  display: grid;\n  gap: 8px;\n  max-width: 440px;\n}\n.et-clip-edit > :is(video, img) {\n  display: block;\n  width: 100%;\n  max-height: 300px;\n  border-radius: 6px;\n  background: #000;\n  object-fit: contain;\n}\n/* Two sliders on one track: only their thumbs are touched. */\n.et-trim {\n  position: relative;\n  height: 20px;\n}\n.et-trim input {\n  position: absolute;\n  inset: 0;\n  width: 100%;\n  appearance: none;\n  background: none;\n  pointer-events: none;\n}\n.et-trim input::-webkit-slider-thumb {\n  appearance: none;\n  width: 12px;\n  height: 20px;\n  border: 0;\n  border-radius: 4px;\n  background: var(--et-accent);\n  pointer-events: auto;\n  cursor: ew-resize;\n}\n.et-trim input::-moz-range-thumb {\n  width: 12px;\n  height: 20px;\n  border: 0;\n  border-radius: 4px;\n  background: var(--et-accent);\n  pointer-events: auto;\n  cursor: ew-resize;\n}\n.et-track {\n  position: absolute;\n  inset: 7px 6px;\n  border-radius: 3px;\n  background: linear-gradient(\n    to right,\n    var(--et-line) calc(100% * var(--begin)),\n    var(--et-accent) 0 calc(100% * var(--end)),\n    var(--et-line) 0\n  );\n}\n@container (min-width: 620px) {\n  .et-clips {\n    grid-template-columns: repeat(auto-fill, minmax(260px, 1fr));\n  }\n  .et-clip:has(.et-clip-edit) {\n    grid-column: 1 / -1;\n  }\n}\n.et-view {\n  display: flex;\n  flex-direction: column;\n  gap: 12px;\n}\n.et-view > * {\n  flex: none;\n}\n.et-training {\n  container-type: inline-size;\n}\n\n.et-switch {\n  display: flex;\n  gap: 2px;\n  padding: 2px;\n  border-radius: 8px;\n  background: var(--et-surface);\n}\n.et-switch button {\n  flex: 1;\n  padding: 4px 8px;\n  border: 0;\n  border-radius: 6px;\n  background: none;\n  color: var(--et-dim);\n  font: inherit;\n  white-space: nowrap;\n  cursor: pointer;\n}\n.et-switch button:hover {\n  color: var(--et-strong);\n}\n.et-switch button[aria-selected=\"true\"] {\n  background: color-mix(in srgb, var(--et-fg) 16%, transparent);\n  color: var(--et-strong);\n}\n.et-training .et-switch {\n  padding: 0;\n  border-radius: 0;\n  border-bottom: 1px solid var(--et-line);\n  background: none;\n}\n.et-training .et-switch button {\n  flex: none;\n  border-radius: 0;\n  border-bottom: 2px solid transparent;\n}\n.et-training .et-switch button[aria-selected=\"true\"] {\n  border-bottom-color: var(--et-accent);\n  background: none;\n}\n.et-root :is(input, select, textarea, summary, a, [tabindex]):focus-visible {\n  outline: 2px solid var(--et-accent);\n  outline-offset: 1px;\n}\n\n/* One column shows either the list or what is open; two show both. */\n.et-split {\n  display: grid;\n  grid-template-columns: minmax(0, 1fr);\n  gap: 16px;\n}\n.et-detail,\n.et-form {\n  display: flex;\n  flex-direction: column;\n  gap: 12px;\n  min-width: 0;\n}\n.et-split[data-open=\"true\"] > .et-master {\n  display: none;\n}\n@container (min-width: 620px) {\n  .et-split[data-open=\"true\"] {\n    grid-template-columns: 220px minmax(0, 1fr);\n  }\n  .et-split[data-open=\"true\"] > .et-master {\n    display: grid;\n    align-content: start;\n  }\n  .et-split .et-back {\n    display: none;\n  }\n  .et-form {\n    max-width: 560px;\n  }\n}\n\n.et-detail-head {\n  display: grid;\n  gap: 8px;\n  justify-items: start;\n}\n.et-detail-head .et-line {\n  width: 100%;\n}\n.et-root .et-detail-head h3 {\n  color: var(--et-strong);\n  font-size: 15px;\n  font-weight: 600;\n}\n.et-buttons,\n.et-inline,\n.et-confirm,\n.et-controls {\n  display: flex;\n  flex-wrap: wrap;\n  align-items: center;\n  gap: 6px;\n}\n.et-controls {\n  justify-content: flex-start;\n  gap: 6px 14px;\n}\n.et-hint .et-buttons {\n  justify-content: center;\n  margin-top: 6px;\n}\n.et-inline > .et-input:first-child {\n  flex: 1 1 80px;\n}\n.et-inline > p {\n  flex-basis: 100%;\n}\n.et-confirm {\n  flex-basis: 100%;\n  padding: 6px 8px;\n  border: 1px solid var(--et-line);\n  border-radius: 6px;\n}\n.et-confirm > span {\n  flex: 1 1 100%;\n}\n.et-line > .et-confirm {\n  flex-basis: auto;\n}\n.et-main:not(:disabled) {\n  border-color: var(--et-accent);\n  background: color-mix(in srgb, var(--et-accent) 28%, transparent);\n  color: var(--et-strong);\n}\n.et-danger:not(:disabled) {\n  border-color: var(--et-error);\n  color: var(--et-error);\n}\n.et-link {\n  padding: 0;\n  border: 0;\n  background: none;\n  color: var(--et-dim);\n  font: inherit;\n  text-decoration: underline;\n  text-underline-offset: 2px;\n  white-space: nowrap;\n  cursor: pointer;\n}\n.et-link:hover,\n.et-link[aria-pressed=\"true\"] {\n  color: var(--et-strong);\n}\n.et-wrap {\n  white-space: normal;\n  overflow-wrap: anywhere;\n}\n.et-input {\n  min-width: 0;\n  padding: 5px 8px;\n  border: 1px solid var(--et-line);\n  border-radius: 6px;\n  background: var(--comfy-input-bg, #222);\n  color: var(--et-fg);\n  font: inherit;\n}\n.et-input[aria-invalid=\"true\"] {\n  border-color: var(--et-error);\n}\n.et-short {\n  width: 58px;\n}\n.et-root :is([type=\"checkbox\"], [type=\"range\"]) {\n  accent-color: var(--et-accent);\n}\n.et-root [type=\"checkbox\"] {\n  margin: 0 4px 0 0;\n  vertical-align: -2px;\n}\n.et-root [type=\"range\"] {\n  min-width: 60px;\n  margin: 0;\n  vertical-align: middle;\n}\n.et-field {\n  display: grid;\n  gap: 4px;\n}\n.et-field label {\n  color: var(--et-strong);\n}\n.et-form .et-fold .et-field {\n  margin-bottom: 10px;\n}\n.et-help {\n  color: var(--et-dim);\n  font-size: 12px;\n  overflow-wrap: anywhere;\n}\n.et-short-line {\n  overflow: hidden;\n  text-overflow: ellipsis;\n  white-space: nowrap;\n}\n.et-note {\n  color: var(--et-dim);\n}\n/* Used by others, needed by the job, free. */\n.et-memory {\n  display: flex;\n  height: 8px;\n  border-radius: 4px;\n  background: color-mix(in srgb, var(--et-fg) 12%, transparent);\n  overflow: hidden;\n}\n.et-memory span:first-child {\n  width: calc(100% * var(--used));\n  background: color-mix(in srgb, var(--et-fg) 35%, transparent);\n}\n.et-memory span:last-child {\n  width: calc(100% * var(--needed));\n  min-width: 2px;\n  background: var(--et-accent);\n}\n.et-memory.et-over span:last-child {\n  background: var(--et-error);\n}\n";
// src/main.ts
var AUTOPLAY = "EchoTorrent.AutoPlay";
function start() {
	const client = new Client(host);
	const store = new Store(client);
	const services = {
		client,
		store,
		training: new TrainingStore(new TrainingClient(host)),
		host,
		autoplay: () => host.setting(AUTOPLAY) !== false
	};
	host.onAnnouncement((announcement) => store.announced(announcement));
	host.onConnection((connected) => connected ? void store.refresh() : store.lost());
	register({
		settings: [{
			id: AUTOPLAY,
			name: "Play a video while it is made",
			tooltip: "Playback starts with the first finished chunk. Off: it waits until you press play.",
			category: [
				"EchoTorrent",
				"Playback",
				"AutoPlay"
			],
			type: "boolean",
			defaultValue: true
		}],
		commands: [{
			id: "EchoTorrent.StopAndKeep",
			label: "Stop the running video, keep what is made",
			function: stop
		}],
		setup() {
			document.head.append(Object.assign(document.createElement("style"), { textContent: style_default + training_default }));
			const badge = host.addSidebarTab("echotorrent", "EchoTorrent", "EchoTorrent", panel());
			watch(store.running, ({ length }) => badge(length ? String(length) : null));
			store.refresh();
		},
		mount(element, node) {
			const app = createApp({ render: () => h(NodePlayer_default, { node }) });
			app.provide(KEY, services).mount(element);
			return () => app.unmount();
		}
	});
	/** Built once and kept: the host throws its container's contents away whenever another tab is shown. */
	function panel() {
		const root = document.createElement("div");
		root.className = "et-root";
		createApp(Panel_default).provide(KEY, services).mount(root);
		return root;
	}
	function stop() {
		const id = store.running.value[0];
		if (id) client.stop(id).catch((error) => host.toast("error", `The run was not stopped: ${error.message}`));
		else host.toast("info", "No video is being made.");
	}
}
var first = globalThis.echotorrentLoadedFrom;
var here = import.meta.url.replace(/[^/]*$/, "");
if (first === void 0) {
	globalThis.echotorrentLoadedFrom = here;
	start();
} else registerDuplicate(first, here);
