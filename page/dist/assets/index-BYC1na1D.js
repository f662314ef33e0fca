(function(){let e=document.createElement(`link`).relList;if(e&&e.supports&&e.supports(`modulepreload`))return;for(let e of document.querySelectorAll(`link[rel="modulepreload"]`))n(e);new MutationObserver(e=>{for(let t of e)if(t.type===`childList`)for(let e of t.addedNodes)e.tagName===`LINK`&&e.rel===`modulepreload`&&n(e)}).observe(document,{childList:!0,subtree:!0});function t(e){let t={};return e.integrity&&(t.integrity=e.integrity),e.referrerPolicy&&(t.referrerPolicy=e.referrerPolicy),t.credentials=e.crossOrigin===`use-credentials`?`include`:e.crossOrigin===`anonymous`?`omit`:`same-origin`,t}function n(e){if(e.ep)return;e.ep=!0;let n=t(e);fetch(e.href,n)}})();var e,t,n,r,i,a,o,s,c,l,u,d=Symbol.for(`pv`),f={},p=[],m=/^m(i|n|o|s|text|space)$/,h=Array.isArray,g=p.slice,_=Object.assign;function v(e){e&&e.parentNode&&e.remove()}function y(e,t,n){var r,i,a,o={},s=arguments.length;for(a in t)a==`key`?r=t[a]:a==`ref`&&typeof e!=`function`?i=t[a]:o[a]=t[a];return s>2&&(o.children=s>3?g.call(arguments,2):n),b(e,o,r,i,null)}function b(n,r,i,a,o){var s={type:n,props:r,key:i,ref:a,__k:null,__:null,__b:0,__e:null,__c:null,constructor:d,__v:o||++t,__i:-1,__u:0};return!o&&e.vnode&&e.vnode(s),s}function x(e){return e.children}function S(e,t){this.props=e,this.context=t,this.__g=0}function C(e,t){if(t==null)return e.__&&C(e.__,e.__i+1);for(var n;t<e.__k.length;t++)if((n=e.__k[t])&&n.__e)return n.__e;return typeof e.type!=`function`||e.props.__P?null:C(e)}function w(t){var n,r=t.__v,i=r.__e,a=[],o=[],s=t.__P;s&&((n=_({constructor:d},r)).__v=r.__v+1,e.vnode&&e.vnode(n),j(s,n,r,t.__n,s.namespaceURI,32&r.__u?[i]:null,a,i||C(r),32&r.__u,o),n.__v=r.__v,n.__.__k[n.__i]=n,M(a,n,o),r.__=r.__e=null,n.__e!=i&&T(n))}function T(e){if((e=e.__)&&e.__c&&!e.props.__P)return e.__e=null,e.__k.some(function(t){return t&&(e.__e=t.__e)}),T(e)}function E(t){(8&t.__g||(t.__g|=8,r.push(t),a++))&&i==e.debounceRendering||((i=e.debounceRendering)||queueMicrotask)(D)}function D(){try{for(var e,t=1;r.length;)r.length>t&&r.sort(o),e=r.shift(),t=r.length,8&e.__g&&w(e)}finally{(a=r.length)&&(i||queueMicrotask)(D)}}function ee(e,t,n,r,i,a,o,s,c,l,u){var d,m,h,g,_,v,y=r.__k||p,b=t.length;for(c=O(n,t,y,c,b),d=0;d<b;d++)(h=n.__k[d])!=null&&(m=~h.__i&&y[h.__i]||f,h.__i=d,v=j(e,h,m,i,a,o,s,c,l,u),g=h.__e,(m.ref!=h.ref||8&m.__u)&&(m.ref&&N(m.ref,null,h,m),h.ref&&u.push(h.ref,h.__c||g,h)),_||=g,4&h.__u?(c=k(h,c,e,!m.__v),m.__e&&(m.__e=null)):typeof h.type==`function`&&v!==void 0?c=v:g&&(c=g.nextSibling),h.__u&=-21);return n.__e=_,c}function O(e,t,n,r,i){var a,o,s,c,l,u,f,p,m,g=n.length,_=g,v=0,y=0,S=e.__k=Array(i);for(a=0;a<i;a++)(o=t[a])!=null&&typeof o!=`boolean`&&typeof o!=`function`?(typeof o!=`object`||o.constructor===String?o=S[a]=b(null,o):h(o)?o=S[a]=b(x,{children:o}):o.constructor===d&&o.__b?o=S[a]=b(o.type,o.props,o.key,o.ref,o.__v):S[a]=o,c=a+v,o.__=e,o.__b=e.__b+1,s=null,~(l=o.__i=ne(o,n,c,_))&&(_--,(s=n[l])&&(s.__u|=2)),s&&s.__v?(o.__u|=16,l==c-1?v--:l==c+1?v++:l!=c&&(l>c?v--:v++,y=1)):(~l||(i>g?v--:i<g&&v++),typeof o.type!=`function`&&(o.__u|=4))):S[a]=null;if(y){for(u=[],f=[],a=0;a<i;a++)if((o=S[a])&&16&o.__u){for(v=0,p=u.length;v<p;)u[m=v+p>>1]<o.__i?v=m+1:p=m;u[v]=o.__i,f[a]=v+1}for(v=u.length;a--;)f[a]&&(f[a]==v?v--:S[a].__u|=4)}if(_)for(a=0;a<g;a++)!(s=n[a])||2&s.__u||(s.__e==r&&(r=C(s)),ce(s,s));return r}function k(e,t,n,r){var i,a,o,s;if(typeof e.type==`function`){if(e.props.__P)return t;if(i=e.__k)for(a=0;a<i.length;a++)i[a]&&(i[a].__=e,t=k(i[a],t,n,!1));return t}for(t&&!t.parentNode&&(t=C(e))&&!t.parentNode&&(t=null),o=e.__e,s=t;s&&s.nodeType==8;)s=s.nextSibling;for(o!=s&&(!r&&n.moveBefore&&o.parentNode?n.moveBefore(o,t):n.insertBefore(o,t||null)),t=o;(t&&=t.nextSibling)&&t.nodeType==8&&!t.data.startsWith(`$s`););return t}function te(e,t){return t||=[],e!=null&&typeof e!=`boolean`&&(h(e)?e.some(function(e){te(e,t)}):t.push(e)),t}function ne(e,t,n,r){var i,a=e.key,o=e.type,s=t[n],c=s&&!(2&s.__u);if(s===null&&a==null||c&&a==s.key&&o==s.type)return n;if(r>+!!c){for(i=n-1;i>=0;i--)if((s=t[i])&&!(2&s.__u)&&a==s.key&&o==s.type)return i;for(i=n+1;i<t.length;i++)if((s=t[i])&&!(2&s.__u)&&a==s.key&&o==s.type)return i}return-1}function re(e,t,n){n??=``,t[0]==`-`?e.setProperty(t,n):e[t]=n}function A(e,t,n,r,i){var a,o;if(t==`style`){if(typeof n==`string`)e.style.cssText=n;else{if(typeof r==`string`&&(e.style.cssText=r=``),r)for(t in r)n&&t in n||re(e.style,t);if(n)for(t in n)r&&n[t]==r[t]||re(e.style,t,n[t])}}else if(t[0]==`o`&&t[1]==`n`)typeof n!=`function`&&(n=null),typeof r!=`function`&&(r=null),(e.__e||={})[t]=n,n&&r||(o=u[t]||(u[t]=ie(t)),(e.__a||={})[t]=l,a=t!=(t=t.replace(c,`$1`)),(t=t.slice(2))[0]<`a`&&(t=t.toLowerCase()),n?e.addEventListener(t,o,a):e.removeEventListener(t,o,a));else{if(i==`http://www.w3.org/2000/svg`)t=t.replace(/xlink(H|:h)/,`h`).replace(/sName$/,`s`);else if(t!=`width`&&t!=`height`&&t!=`href`&&t!=`list`&&t!=`form`&&t!=`tabIndex`&&t!=`download`&&t!=`rowSpan`&&t!=`colSpan`&&t!=`role`&&t!=`popover`&&t in e)try{e[t]=n??``;return}catch{}if(typeof n==`function`)return;n==null||!1===n&&t[4]!=`-`?e.removeAttribute(t):e.setAttribute(t,t==`popover`&&n==1?``:n)}}function ie(t){return function(n){var r=this.__e;if(r){if(r=r[t],n[s]==null)n[s]=l++;else if(n[s]<this.__a[t])return;return r(e.event?e.event(n):n)}}}function j(t,n,r,i,a,o,s,c,l,u){var f,m,g,y,b,w,T,E,D,O,k,te,ne,re,A,ie,j,M,N=n.type;if(n.constructor!==d)return null;128&r.__u&&(l=32&r.__u,f=r.__c.__z)&&(n.__u|=l,m=o=[],f.nodeType==8?c=ae(f,o):o.push(f),c=o[0]||c),(f=e.__b)&&f(n);e:if(typeof N==`function`){g=s.length;try{if(E=n.props,D=(f=N.prototype)&&f.render,O=(f=N.contextType)&&i[f.__c],k=f?O?O.props.value:f.__:i,(y=r.__c)?(n.__c=y,2&y.__g&&(y.__g|=1)):(D?n.__c=y=new N(E,k):(n.__c=y=new S(E,k),y.constructor=N,y.render=le),O&&O.sub(y),y.state||(y.state={}),y.__n=i,y.__g|=8,y.__h=[],y.__k=[]),D&&(y.__s||(y.__s=y.state),N.getDerivedStateFromProps&&(y.__s==y.state&&(y.__s=_({},y.__s)),_(y.__s,N.getDerivedStateFromProps(E,y.__s)))),b=y.props,w=y.state,y.__v=n,r.__c){if(E!==b&&D&&!N.getDerivedStateFromProps&&y.componentWillReceiveProps&&y.componentWillReceiveProps(E,k),n.__v==r.__v&&!(8&y.__g)||!(4&y.__g)&&y.shouldComponentUpdate&&!1===y.shouldComponentUpdate(E,y.__s,k)){n.__v!=r.__v&&(y.props=E,y.state=y.__s,y.__g&=-9),n.__e=r.__e,n.__k=r.__k,n.__k.some(function(e){e&&(e.__=n)}),p.push.apply(y.__h,y.__k),y.__k=[],y.__h.length&&s.push(y),c=C(r);break e}y.componentWillUpdate&&y.componentWillUpdate(E,y.__s,k),D&&y.componentDidUpdate&&y.__h.push(function(){y.componentDidUpdate(b,w,T)})}else D&&!N.getDerivedStateFromProps&&y.componentWillMount&&y.componentWillMount(),D&&y.componentDidMount&&y.__h.push(y.componentDidMount);y.context=k,y.props=E,y.__P=t,y.__g&=-5,te=e.__r,ne=D?25:0;do y.__g&=-9,te&&te(n),f=y.render(y.props,y.state=y.__s,y.context);while(8&y.__g&&++ne<25);D&&(p.push.apply(y.__h,y.__k),y.__k=[]),y.state=y.__s,y.getChildContext&&(i=_({},i,y.getChildContext())),D&&r.__c&&y.getSnapshotBeforeUpdate&&(T=y.getSnapshotBeforeUpdate(b,w)),re=f&&f.type===x&&f.key==null?f.props.children:f,E.__P&&(f=c,a=(t=E.__P).namespaceURI,l=o=null,r.props&&r.props.__P!=t&&(r.__k.some(function(e){e&&ce(e,e)}),r.__k=null),c=r.__k?C(r,0):null),c=ee(t,h(re)?re:[re],n,r,i,a,o,s,c,l,u),E.__P&&(n.__e=null,c=f),n.__u&=-161,m&&m.some(v),y.__h.length&&s.push(y),1&y.__g&&(y.__g&=-4)}catch(t){if(s.length=g,n.__v=null,l||o){if(t&&t.then){if(n.__u|=128|l,o){for(~(j=o.indexOf(c||void 0))||(j=o.length);(M=o[j-1])&&M.nodeType==8;)j--;for(;j<o.length;j++)if(M=o[j]){if(o[j]=null,A){if(M==ie)break}else{if(M.nodeType!=8)break;M.data.startsWith(`$s`)&&(ie=ae(A=M))}}}if(!A){for(;c&&c.nodeType==8&&c.nextSibling;)c=c.nextSibling;A=c}(f=ae(A=n.__c.__z||(n.__c.__z=A)))?(n.__e=A,c=f):n.__e=c,c&&=c.nextSibling}else o&&o.some(v)}else n.__e=r.__e;n.__k||=r.__k||[],t&&t.then||oe(n),e.__e(t,n,r)}}else c=n.__e=se(r.__e,n,r,i,a,o,s,l,u,t);return(f=e.diffed)&&f(n),c}function ae(e,t){if(e&&e.nodeType==8&&e.data.startsWith(`$s`))for(var n=1;e=e.nextSibling;){if(e.nodeType==8){if(e.data.startsWith(`$s`))n++;else if(e.data.startsWith(`/$s`)&&!--n)return e}t&&t.push(e)}}function oe(e){e&&(e.__c&&(e.__c.__g|=4),e.__k&&e.__k.some(oe))}function M(t,n,r){for(var i=0;i<r.length;)N(r[i++],r[i++],r[i++]);e.__c&&e.__c(n,t),t.some(function(n){try{t=n.__h,n.__h=[],t.some(function(e){e.call(n)})}catch(t){e.__e(t,n.__v)}})}function se(t,n,r,i,a,o,s,c,l,u){var d,p,_,y,b,x,S,w,T=r.props||f,E=n.props,D=n.type;if(D==`svg`?a=`http://www.w3.org/2000/svg`:D==`math`?a=`http://www.w3.org/1998/Math/MathML`:a||=`http://www.w3.org/1999/xhtml`,o){for(d=0;d<o.length;d++)if((b=o[d])&&(D?b.localName==D:b.nodeType==3)){t=b,o[d]=null;break}}if(!t){if(w=u.ownerDocument||document,!D)return w.createTextNode(E);t=w.createElementNS(a,D,E.is?E:u),c&&=(e.__m&&e.__m(n,o),!1),o=null}if(D){if(u=D==`template`&&t.content||t,o=D==`textarea`&&E.defaultValue!=null?null:o&&g.call(u.childNodes),!c&&o)for(T={},d=0;d<t.attributes.length;d++)T[(b=t.attributes[d]).name]=b.value;for(d in T)b=T[d],d==`dangerouslySetInnerHTML`?_=b:d==`children`||d in E||d==`value`&&`defaultValue`in E||d==`checked`&&`defaultChecked`in E||A(t,d,null,b,a);for(d in E)b=E[d],d==`children`?y=b:d==`dangerouslySetInnerHTML`?p=b:d==`value`?x=b:d==`checked`?S=b:c&&typeof b!=`function`||T[d]===b||A(t,d,b,T[d],a);p?(c||_&&(p.__html==_.__html||p.__html==t.innerHTML)||(t.innerHTML=p.__html),n.__k=[]):(_&&(t.textContent=``),(D==`foreignObject`||a==`http://www.w3.org/1998/Math/MathML`&&m.test(D))&&(a=`http://www.w3.org/1999/xhtml`),ee(u,h(y)?y:[y],n,r,i,a,o,s,o?o[0]:r.__k&&C(r,0),c,l),o&&o.some(v)),c&&D!=`textarea`||(d=`value`,D==`progress`&&x==null?t.removeAttribute(d):x==null||x===t[d]&&(D!=`progress`||x)||A(t,d,x,T[d],a),d=`checked`,S!=null&&S!=t[d]&&A(t,d,S,T[d],a))}else T===E||c&&t.data==E||(t.data=E);return t}function N(t,n,r,i){try{typeof t==`function`?n?n.__x=t(n)||1:(i&&=i.__c||i.__e)&&(n=i.__x)&&(i.__x=null,typeof n==`function`?n():t(null)):t.current=n}catch(t){e.__e(t,r)}}function ce(t,n,r){var i,a,o,s;if(e.unmount&&e.unmount(t),!(i=t.ref)||i.current&&i.current!=t.__e||N(i,null,n,t),i=t.__c){if(i.componentWillUnmount)try{i.componentWillUnmount()}catch(t){e.__e(t,n)}i.__P=i.__n=null}if(i=t.__k)for(s=0;s<i.length;s++)i[s]&&ce(i[s],n,typeof t.type!=`function`||r&&!t.props.__P);!r&&(i=t.__c)&&(i=i.__z)&&(a=ae(i,o=[]))&&(i==t.__e&&o.some(v),v(a),v(i)),r||v(t.__e),t.__e=t.__c=t.__=null}function le(e,t,n){return this.constructor(e,n)}function ue(t,n){var r,i,a,o;e.__&&e.__(t,n),n.nodeType==9&&(n=n.documentElement),i=(r=t&&32&t.__u)?null:n.__k,n.__k=b(x,{children:[t]}),a=[],o=[],j(n,n.__k,i||f,f,n.namespaceURI,i?null:n.firstChild?g.call(n.childNodes):null,a,i?i.__e:n.firstChild,r,o),M(a,n.__k,o),n.__k.props.children=null}e={__e:function(e,t,n,r){for(var i,o,s;t=t.__;)if((i=t.__c)&&!(1&i.__g)){i.__g|=4;try{if((s=(o=i.constructor)&&o.getDerivedStateFromError)&&i.setState(o.getDerivedStateFromError(e)),i.componentDidCatch&&(i.componentDidCatch(e,r||{}),s=1),s&&8&i.__g)return void(i.__g|=2)}catch(t){e=t}}throw a=0,e}},t=0,n=function(e){return e!=null&&e.constructor===d},S.prototype.setState=function(e,t){var n=this.__s;n&&n!=this.state||(n=this.__s=_({},this.state)),typeof e==`function`&&(e=e(_({},n),this.props)),e&&(_(n,e),this.__v&&(t&&this.__k.push(t),E(this)))},S.prototype.forceUpdate=function(e){this.__v&&(this.__g|=4,e&&this.__h.push(e),E(this))},S.prototype.render=x,r=[],a=0,o=function(e,t){return e.__v.__b-t.__v.__b},s=Symbol(),c=/(PointerCapture)$|Capture$/i,l=0,u={};var de,P,fe,pe,me=Object.is,he=0,ge=[],_e=[],F=e,ve=F.__b,ye=F.__r,be=F.diffed,xe=F.__c,Se=F.unmount,Ce=F.__;function we(e,t){F.__h&&F.__h(P,e,he||t),he=0;var n=P.__H||(P.__H={__:[],__h:[]});return e>=n.__.length&&n.__.push({}),n.__[e]}function Te(e,t){var n=we(de++,3);!F.__s&&Fe(n.__H,t)&&(n.__P=!0,n.__=e,n.u=t,P.__H.__h.push(n))}function Ee(e){return he=5,De(function(){return{current:e}},[])}function De(e,t){var n=we(de++,7);return Fe(n.__H,t)&&(n.__=e(),n.__H=t),n.__}function Oe(){var e=we(de++,11);if(!e.__){for(var t=P.__v;!t.__m&&t.__;)t=t.__;var n=t.__m||(t.__m=[0,0]);e.__=`P`+n[0]+`-`+n[1]++}return e.__}function ke(){var e;do{for(;e=_e.shift();)try{Ne(e)}catch(t){F.__e(t,{__:(e=e.__P)&&e.__v})}for(;e=ge.shift();){var t=e.__H;if(e.__P&&t)try{t.__h.some(Ne),t.__h.some(Pe),t.__h=[]}catch(n){t.__h=[],F.__e(n,e.__v)}}}while(_e.length)}F.__b=function(e){P=null,ve&&ve(e)},F.__=function(e,t){e&&t.__k&&t.__k.__m&&(e.__m=t.__k.__m),Ce&&Ce(e,t)},F.__r=function(e){ye&&ye(e),de=0;var t=(P=e.__c).__H;t&&(fe==P?P.__h=[]:(t.__h.some(Ne),t.__h.some(Pe),de=0),t.__h=[],t.__.some(function(e){e.__N&&(e.__=e.__N),e.u=e.__N=void 0})),fe=P},F.diffed=function(e){be&&be(e);var t=e.__c;t&&t.__H&&(t.__H.__h.length&&Me(ge.push(t)),t.__H.__.some(function(e){e.u&&(e.__H=e.u)})),fe=P=null},F.__c=function(e,t){t.some(function(e){try{e.__h.some(Ne),e.__h=e.__h.filter(function(e){return!e.__||Pe(e)})}catch(t){e.__h=[function(){throw t}]}}),xe&&xe(e,t)},F.unmount=function(e){Se&&Se(e);var t,n,r=e.__c;r&&r.__H&&(r.__H.__.some(function(r){try{if(r.__P&&r.__c){if(n===void 0){for(n=e.__;n&&(!n.__c||!n.__c.__P);)n=n.__;n&&=n.__c}r.__P=n,Me(_e.push(r))}else Ne(r)}catch(e){t=e}}),r.__H=void 0,t&&F.__e(t,r.__v))};var Ae=typeof requestAnimationFrame==`function`;function je(e){var t,n=function(){clearTimeout(r),Ae&&cancelAnimationFrame(t),setTimeout(e)},r=setTimeout(n,35);Ae&&(t=requestAnimationFrame(n))}function Me(e){e!=1&&pe==F.requestAnimationFrame||((pe=F.requestAnimationFrame)||je)(ke)}function Ne(e){var t=P,n=e.__c;typeof n==`function`&&(e.__c=void 0,n()),P=t}function Pe(e){var t=P;e.__c=e.__(),P=t}function Fe(e,t){return!e||e.length!=t.length||t.some(function(t,n){return!me(t,e[n])})}var Ie=Symbol.for(`preact-signals`);function Le(){if(R>1)R--;else{var e,t=!1;for((function(){var e=We;for(We=void 0;e!==void 0;){var t=e.S;if(t.v===e.v)for(var n=t.t;n!==void 0;n=n.x)n.i===e.i&&(n.i=t.i);e=e.o}})();Be!==void 0;){var n=Be;for(Be=void 0,Ve++;n!==void 0;){var r=n.u;if(n.u=void 0,n.f&=-3,!(8&n.f)&&qe(n))try{n.c()}catch(n){t||=(e=n,!0)}n=r}}if(Ve=0,R--,t)throw e}}function I(e){if(R>0)return e();Ue=++He,R++;try{return e()}finally{Le()}}var Re,L=void 0;function ze(e){var t=L,n=Re;L=void 0,Re=void 0;try{return e()}finally{L=t,Re=n}}var Be=void 0,R=0,Ve=0,He=0,Ue=0,We=void 0,Ge=0;function Ke(e){if(L!==void 0){var t=e.n;if(t===void 0||t.t!==L)return t={i:0,S:e,p:L.s,n:void 0,t:L,e:void 0,x:void 0,r:t},L.s!==void 0&&(L.s.n=t),L.s=t,e.n=t,32&L.f&&e.S(t),t;if(t.i===-1)return t.i=0,t.n!==void 0&&(t.n.p=t.p,t.p!==void 0&&(t.p.n=t.n),t.p=L.s,t.n=void 0,L.s.n=t,L.s=t),t}}function z(e,t){this.v=e,this.i=0,this.n=void 0,this.t=void 0,this.l=0,this.W=t?.watched,this.Z=t?.unwatched,this.name=t?.name}z.prototype.brand=Ie,z.prototype.h=function(){return!0},z.prototype.S=function(e){var t=this,n=this.t;n!==e&&e.e===void 0&&(e.x=n,this.t=e,n===void 0?ze(function(){var e;(e=t.W)==null||e.call(t)}):n.e=e)},z.prototype.U=function(e){var t=this;if(this.t!==void 0){var n=e.e,r=e.x;n!==void 0&&(n.x=r,e.e=void 0),r!==void 0&&(r.e=n,e.x=void 0),e===this.t&&(this.t=r,r===void 0&&ze(function(){var e;(e=t.Z)==null||e.call(t)}))}},z.prototype.subscribe=function(e){var t=this;return U(function(){var n=t.value;ze(function(){return e(n)})},{name:`sub`})},z.prototype.valueOf=function(){return this.value},z.prototype.toString=function(){return this.value+``},z.prototype.toJSON=function(){return this.value},z.prototype.peek=function(){var e=this;return ze(function(){return e.value})},Object.defineProperty(z.prototype,"value",{get:function(){var e=Ke(this);return e!==void 0&&(e.i=this.i),this.v},set:function(e){if(e!==this.v){if(Ve>100)throw Error(`Cycle detected`);(function(e){R!==0&&Ve===0&&e.l!==Ue&&(e.l=Ue,We={S:e,v:e.v,i:e.i,o:We})})(this),this.v=e,this.i++,Ge++,R++;try{for(var t=this.t;t!==void 0;t=t.x)t.t.N()}finally{Le()}}}});function B(e,t){return new z(e,t)}function qe(e){for(var t=e.s;t!==void 0;t=t.n)if(t.S.i!==t.i||!t.S.h()||t.S.i!==t.i)return!0;return!1}function Je(e){for(var t=e.s;t!==void 0;t=t.n){var n=t.S.n;if(n!==void 0&&(t.r=n),t.S.n=t,t.i=-1,t.n===void 0){e.s=t;break}}}function Ye(e){for(var t=e.s,n=void 0;t!==void 0;){var r=t.p;t.i===-1?(t.S.U(t),r!==void 0&&(r.n=t.n),t.n!==void 0&&(t.n.p=r)):n=t,t.S.n=t.r,t.r!==void 0&&(t.r=void 0),t=r}e.s=n}function V(e,t){z.call(this,void 0,t),this.x=e,this.s=void 0,this.g=Ge-1,this.f=4}V.prototype=new z,V.prototype.h=function(){if(this.f&=-3,1&this.f)return!1;if((36&this.f)==32||(this.f&=-5,this.g===Ge))return!0;if(this.g=Ge,this.f|=1,this.i>0&&!qe(this))return this.f&=-2,!0;var e=L;try{Je(this),L=this;var t=this.x();(16&this.f||this.v!==t||this.i===0)&&(this.v=t,this.f&=-17,this.i++)}catch(e){this.v=e,this.f|=16,this.i++}return L=e,Ye(this),this.f&=-2,!0},V.prototype.S=function(e){if(this.t===void 0){this.f|=36;for(var t=this.s;t!==void 0;t=t.n)t.S.S(t)}z.prototype.S.call(this,e)},V.prototype.U=function(e){if(this.t!==void 0&&(z.prototype.U.call(this,e),this.t===void 0)){this.f&=-33;for(var t=this.s;t!==void 0;t=t.n)t.S.U(t)}},V.prototype.N=function(){if(!(2&this.f)){this.f|=6;for(var e=this.t;e!==void 0;e=e.x)e.t.N()}},Object.defineProperty(V.prototype,"value",{get:function(){if(1&this.f)throw Error(`Cycle detected`);var e=Ke(this);if(this.h(),e!==void 0&&(e.i=this.i),16&this.f)throw this.v;return this.v}});function H(e,t){return new V(e,t)}function Xe(e){var t=e.j;if(e.j=void 0,typeof t==`function`){R++;var n=L;L=void 0;try{t()}catch(t){throw e.f&=-2,e.f|=8,Ze(e),t}finally{L=n,Le()}}}function Ze(e){for(var t=e.s;t!==void 0;t=t.n)t.S.U(t);e.x=void 0,e.s=void 0,Xe(e)}function Qe(e){if(L!==this)throw Error(`Out-of-order effect`);Ye(this),L=e,this.f&=-2;try{8&this.f&&Ze(this)}finally{Le()}}function $e(e,t){this.x=e,this.j=void 0,this.s=void 0,this.u=void 0,this.f=32,this.name=t?.name,Re&&Re.push(this)}$e.prototype.c=function(){var e=this.S();try{if(8&this.f||this.x===void 0)return;var t=this.x();typeof t==`function`&&(this.j=t)}finally{e()}},$e.prototype.S=function(){if(1&this.f)throw Error(`Cycle detected`);this.f|=1,this.f&=-9,Xe(this),Je(this),R++;var e=L;return L=this,Qe.bind(this,e)},$e.prototype.N=function(){2&this.f||(this.f|=2,this.u=Be,Be=this)},$e.prototype.d=function(){this.f|=8,1&this.f||Ze(this)},$e.prototype.dispose=function(){this.d()};function U(e,t){var n=new $e(e,t);try{n.c()}catch(e){throw n.d(),e}var r=n.d.bind(n);return r[Symbol.dispose]=r,r}var et,tt,nt,rt=typeof window<`u`&&!!window.__PREACT_SIGNALS_DEVTOOLS__,it=[];U(function(){et=this.N})();function at(t,n){e[t]=n.bind(null,e[t]||function(){})}function ot(e){if(nt){var t=nt;nt=void 0,t()}nt=e&&e.S()}function st(e){var t=this,r=e.data,i=lt(r);i.name=`ReactiveDom`,i.value=r;var a=De(function(){for(var e=t,r=t.__v;r=r.__;)if(r.__c){r.__c.__$f|=4;break}var a=H(function(){var e=i.value.value;return e===0?0:!0===e?``:e||``}),o=H(function(){return!Array.isArray(a.value)&&!n(a.value)}),s=U(function(){if(this.N=pt,o.value){var t=a.value;e.__v&&e.__v.__e&&e.__v.__e.nodeType===3&&(e.__v.__e.data=t)}}),c=t.__$u.d;return t.__$u.d=function(){s(),c.call(this)},[o,a]},[]),o=a[0],s=a[1];return o.value?s.peek():s.value}st.displayName=`ReactiveTextNode`,Object.defineProperties(z.prototype,{constructor:{configurable:!0,value:y(x,null).constructor},type:{configurable:!0,value:st},props:{configurable:!0,get:function(){var e=this;return{data:{get value(){return e.value}}}}},__b:{configurable:!0,value:1}}),at(`__b`,function(e,t){if(ot(),tt=void 0,typeof t.type==`string`){var n,r=t.props;for(var i in r)if(i!==`children`){var a=r[i];a instanceof z&&(n||(t.__np=n={}),n[i]=a,r[i]=a.peek())}}e(t)}),at(`__r`,function(e,t){if(e(t),t.type!==x){ot();var n,r=t.__c;r&&(r.__$f&=-2,(n=r.__$u)===void 0&&(r.__$u=n=function(e,t){var n;return U(function(){n=this},{name:t}),n.c=e,n}(function(e){return function(){var t;rt&&((t=this.y)==null||t.call(this)),e.__$f|=1,e.setState({})}}(r),typeof t.type==`function`?t.type.displayName||t.type.name:``))),tt=r,ot(n)}}),at(`__e`,function(e,t,n,r){ot(),tt=void 0,e(t,n,r)}),at(`diffed`,function(e,t){ot(),tt=void 0;var n;if(typeof t.type==`string`&&(n=t.__e)){var r=t.__np,i=t.props,a=n.U;if(a)for(var o in a){var s=a[o];s===void 0||r&&o in r||(s.d(),a[o]=void 0)}if(r)for(var c in a||(a={},n.U=a),r){var l=a[c],u=r[c];l===void 0?(l=ct(n,c,u,i),a[c]=l):l.o(u,i)}}e(t)});function ct(e,t,n,r){var i=t in e&&e.ownerSVGElement===void 0,a=B(n);return{o:function(e,t){a.value=e,r=t},d:U(function(){this.N=pt;var n=a.value.value;r[t]!==n&&(r[t]=n,i?e[t]=n:n!=null&&(!1!==n||t[4]===`-`)?e.setAttribute(t,n):e.removeAttribute(t))})}}at(`unmount`,function(e,t){if(typeof t.type==`string`){var n=t.__e;if(n){var r=n.U;if(r)for(var i in n.U=void 0,r){var a=r[i];a&&a.d()}}var o=t.__np;if(o){var s=t.props;for(var c in o)s[c]=o[c]}t.__np=void 0}else{var l=t.__c;if(l){l.__$f|=8;var u=l.__$u;u&&(l.__$u=void 0,u.d())}}e(t)}),at(`__h`,function(e,t,n,r){r<3&&(t.__$f|=2),e(t,n,r)}),S.prototype.shouldComponentUpdate=function(e,t){if(this.__R)return!0;var n=this.__$u,r=n&&n.s!==void 0;for(var i in t)return!0;if(this.__f||typeof this.u==`boolean`&&!0===this.u){var a=2&this.__$f;if(!(r||a||4&this.__$f)||1&this.__$f)return!0}else if(!(r||4&this.__$f)||3&this.__$f)return!0;for(var o in e)if(o!==`__source`&&e[o]!==this.props[o])return!0;for(var s in this.props)if(!(s in e))return!0;return!1};function lt(e,t){return De(function(){return B(e,t)},[])}function ut(e,t){var n=Ee(e);return n.current=e,tt.__$f|=4,De(function(){return H(function(){return n.current()},t)},[])}var dt=function(e){queueMicrotask(function(){queueMicrotask(e)})};function ft(){I(function(){for(var e;e=it.shift();)et.call(e)})}function pt(){it.push(this)===1&&(e.requestAnimationFrame||dt)(ft)}var W=class extends String{__apiType;value;__meta__;constructor(e,t){super(e),this.value=e,this.__meta__=t}toString(){return this.value}};new W(`
    fragment Person on User {
  id
  username
  nickname
  firstName
  lastName
}
    `,{fragmentName:`Person`}),new W(`
    fragment CardOnBoard on Card {
  id
  name
  title
  stage
  columnId
  rank
  version
  type
  priority
  size
  storyPoints
  dueOn
  overdue
  archivedAt
  agentState
  agentActivity
  messageCount
  subtaskCount {
    done
    total
  }
  labels {
    id
    name
    colour
  }
  assignees {
    ...Person
  }
  openQuestions {
    id
  }
  parent {
    id
    name
    title
  }
  activeRun {
    id
    status
    progress {
      percent
      todosDone
      todosTotal
    }
  }
}
    fragment Person on User {
  id
  username
  nickname
  firstName
  lastName
}`,{fragmentName:`CardOnBoard`}),new W(`
    fragment ChangedCard on Card {
  ...CardOnBoard
  board {
    seq
  }
}
    fragment Person on User {
  id
  username
  nickname
  firstName
  lastName
}
fragment CardOnBoard on Card {
  id
  name
  title
  stage
  columnId
  rank
  version
  type
  priority
  size
  storyPoints
  dueOn
  overdue
  archivedAt
  agentState
  agentActivity
  messageCount
  subtaskCount {
    done
    total
  }
  labels {
    id
    name
    colour
  }
  assignees {
    ...Person
  }
  openQuestions {
    id
  }
  parent {
    id
    name
    title
  }
  activeRun {
    id
    status
    progress {
      percent
      todosDone
      todosTotal
    }
  }
}`,{fragmentName:`ChangedCard`}),new W(`
    fragment ColumnOnBoard on Column {
  id
  name
  stage
  rank
  wipLimit
}
    `,{fragmentName:`ColumnOnBoard`}),new W(`
    fragment Granted on Session {
  accessToken
  expiresAt
  refreshToken
  user {
    username
  }
}
    `,{fragmentName:`Granted`});var mt=new W(`
    query Start {
  viewer {
    mayWrite
    user {
      ...Person
    }
  }
  workspaces(first: 20) {
    nodes {
      id
      name
      myRole
      boards(first: 50) {
        nodes {
          id
          key
          name
          openCardCount
        }
      }
    }
  }
}
    fragment Person on User {
  id
  username
  nickname
  firstName
  lastName
}`),ht=new W(`
    query Board($id: ID!, $after: String) {
  board(id: $id) {
    id
    key
    name
    description
    law
    cursor
    seq
    workspace {
      id
      myRole
      labels {
        id
        name
        colour
      }
      members(first: 100) {
        nodes {
          user {
            ...Person
          }
        }
      }
      agentProfiles {
        id
        name
        executor
        enabled
      }
    }
    columns {
      ...ColumnOnBoard
    }
    cards(first: 500, after: $after) {
      nodes {
        ...CardOnBoard
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    fragment Person on User {
  id
  username
  nickname
  firstName
  lastName
}
fragment CardOnBoard on Card {
  id
  name
  title
  stage
  columnId
  rank
  version
  type
  priority
  size
  storyPoints
  dueOn
  overdue
  archivedAt
  agentState
  agentActivity
  messageCount
  subtaskCount {
    done
    total
  }
  labels {
    id
    name
    colour
  }
  assignees {
    ...Person
  }
  openQuestions {
    id
  }
  parent {
    id
    name
    title
  }
  activeRun {
    id
    status
    progress {
      percent
      todosDone
      todosTotal
    }
  }
}
fragment ColumnOnBoard on Column {
  id
  name
  stage
  rank
  wipLimit
}`),gt=new W(`
    subscription BoardFeed($id: ID!, $after: String!) {
  boardFeed(boardId: $id, after: $after) {
    seq
    cursor
    actor {
      kind
      name
    }
    event {
      __typename
      ... on CardEvent {
        cardId
        card {
          ...CardOnBoard
        }
      }
      ... on ColumnEvent {
        columnId
        column {
          ...ColumnOnBoard
        }
      }
      ... on RanksRewritten {
        ranks {
          nodeId
          rank
        }
      }
    }
  }
}
    fragment Person on User {
  id
  username
  nickname
  firstName
  lastName
}
fragment CardOnBoard on Card {
  id
  name
  title
  stage
  columnId
  rank
  version
  type
  priority
  size
  storyPoints
  dueOn
  overdue
  archivedAt
  agentState
  agentActivity
  messageCount
  subtaskCount {
    done
    total
  }
  labels {
    id
    name
    colour
  }
  assignees {
    ...Person
  }
  openQuestions {
    id
  }
  parent {
    id
    name
    title
  }
  activeRun {
    id
    status
    progress {
      percent
      todosDone
      todosTotal
    }
  }
}
fragment ColumnOnBoard on Column {
  id
  name
  stage
  rank
  wipLimit
}`),_t=new W(`
    query Moves($id: ID!) {
  card(id: $id) {
    moves {
      stage
      allowed
      reasons {
        code
        message
      }
    }
  }
}
    `),vt=new W(`
    mutation MoveCard($input: MoveCardInput!) {
  moveCard(input: $input) {
    __typename
    ...ChangedCard
    ... on Refusal {
      code
      message
    }
    ... on Invalid {
      issues {
        path
        message
      }
    }
    ... on StageRefused {
      at
      to
      allowed
      reasons {
        code
        message
      }
    }
  }
}
    fragment Person on User {
  id
  username
  nickname
  firstName
  lastName
}
fragment CardOnBoard on Card {
  id
  name
  title
  stage
  columnId
  rank
  version
  type
  priority
  size
  storyPoints
  dueOn
  overdue
  archivedAt
  agentState
  agentActivity
  messageCount
  subtaskCount {
    done
    total
  }
  labels {
    id
    name
    colour
  }
  assignees {
    ...Person
  }
  openQuestions {
    id
  }
  parent {
    id
    name
    title
  }
  activeRun {
    id
    status
    progress {
      percent
      todosDone
      todosTotal
    }
  }
}
fragment ChangedCard on Card {
  ...CardOnBoard
  board {
    seq
  }
}`),yt=new W(`
    mutation CreateCard($input: CreateCardInput!) {
  createCard(input: $input) {
    __typename
    ...ChangedCard
    ... on Refusal {
      code
      message
    }
    ... on Invalid {
      issues {
        path
        message
      }
    }
    ... on StageRefused {
      reasons {
        message
      }
    }
  }
}
    fragment Person on User {
  id
  username
  nickname
  firstName
  lastName
}
fragment CardOnBoard on Card {
  id
  name
  title
  stage
  columnId
  rank
  version
  type
  priority
  size
  storyPoints
  dueOn
  overdue
  archivedAt
  agentState
  agentActivity
  messageCount
  subtaskCount {
    done
    total
  }
  labels {
    id
    name
    colour
  }
  assignees {
    ...Person
  }
  openQuestions {
    id
  }
  parent {
    id
    name
    title
  }
  activeRun {
    id
    status
    progress {
      percent
      todosDone
      todosTotal
    }
  }
}
fragment ChangedCard on Card {
  ...CardOnBoard
  board {
    seq
  }
}`),bt=new W(`
    mutation Redeem($token: String!) {
  redeemSignInLink(input: {token: $token}) {
    __typename
    ...Granted
    ... on Refusal {
      message
    }
  }
}
    fragment Granted on Session {
  accessToken
  expiresAt
  refreshToken
  user {
    username
  }
}`),xt=new W(`
    mutation SignIn($username: String!, $password: String!) {
  login(input: {username: $username, password: $password}) {
    __typename
    ...Granted
    ... on Refusal {
      message
    }
  }
}
    fragment Granted on Session {
  accessToken
  expiresAt
  refreshToken
  user {
    username
  }
}`),St=new W(`
    mutation Refresh($token: String!) {
  refreshSession(input: {refreshToken: $token}) {
    __typename
    ...Granted
    ... on Refusal {
      message
    }
  }
}
    fragment Granted on Session {
  accessToken
  expiresAt
  refreshToken
  user {
    username
  }
}`),Ct=new W(`
    mutation SignOut($token: String!) {
  logout(input: {refreshToken: $token}) {
    __typename
  }
}
    `),wt=new URL(`graphql`,document.baseURI),Tt=class extends Error{code;retryAfter;constructor(e,t,n){super(e),this.code=t,this.retryAfter=n}};async function Et(e,t,n){let{data:r,errors:i}=await(await fetch(wt,{method:`POST`,headers:{"content-type":`application/json`,accept:`application/graphql-response+json, application/json`,"graphql-require-preflight":`1`,...n?{authorization:`Bearer ${n}`}:{}},body:JSON.stringify({query:e.toString(),variables:t})})).json(),[a]=i??[];if(a)throw new Tt(a.message,a.extensions?.code,a.extensions?.retryAfter);if(!r)throw new Tt(`The server gave no answer`,void 0);return r}var Dt=`signalbox:session`,Ot=60,kt=()=>JSON.parse(localStorage.getItem(Dt)??`null`),At=B(kt()),jt=H(()=>At.value?.username??null);addEventListener(`storage`,({key:e})=>{(e===Dt||e===null)&&(At.value=kt())});function Mt(e){e?localStorage.setItem(Dt,JSON.stringify(e)):localStorage.removeItem(Dt),At.value=e}function Nt(e){if(!(`accessToken`in e))return e.message;let{accessToken:t,expiresAt:n,refreshToken:r,user:i}=e;return Mt({accessToken:t,expiresAt:n,refreshToken:r,username:i.username}),null}async function Pt(){let e=new URLSearchParams(location.hash.slice(1)).get(`token`);if(e===null)return null;history.replaceState(history.state,``,location.pathname+location.search);try{return Nt((await Et(bt,{token:e})).redeemSignInLink)}catch(e){return`The link was not redeemed: ${e.message}`}}async function Ft(e,t){try{return Nt((await Et(xt,{username:e,password:t})).login)}catch(e){return e.message}}async function It(){let e=kt();Mt(null),e&&await Et(Ct,{token:e.refreshToken})}var Lt=e=>navigator.locks?navigator.locks.request(Dt,e):e();async function Rt(e){await Lt(async()=>{let t=kt();!t||t.accessToken!==e?At.value=t:Nt((await Et(St,{token:t.refreshToken})).refreshSession)!==null&&kt()?.refreshToken===t.refreshToken&&Mt(null)})}var zt=e=>(Date.parse(e.expiresAt)-Date.now())/1e3-Ot,Bt=()=>Math.max(0,At.value?zt(At.value)*1e3:0);async function Vt(e){let t=kt();if(t)return(zt(t)<=0||t.accessToken===e)&&await Rt(t.accessToken),kt()?.accessToken}function G(e){return e===null?`null`:Array.isArray(e)?`array`:typeof e}function Ht(e){return G(e)===`object`}function Ut(e){return Array.isArray(e)&&e.length>0&&e.every(e=>`message`in e)}function Wt(e,t){return e.length<124?e:t}var K=(e=>(e[e.InternalServerError=4500]=`InternalServerError`,e[e.InternalClientError=4005]=`InternalClientError`,e[e.BadRequest=4400]=`BadRequest`,e[e.BadResponse=4004]=`BadResponse`,e[e.Unauthorized=4401]=`Unauthorized`,e[e.Forbidden=4403]=`Forbidden`,e[e.SubprotocolNotAcceptable=4406]=`SubprotocolNotAcceptable`,e[e.ConnectionInitialisationTimeout=4408]=`ConnectionInitialisationTimeout`,e[e.ConnectionAcknowledgementTimeout=4504]=`ConnectionAcknowledgementTimeout`,e[e.SubscriberAlreadyExists=4409]=`SubscriberAlreadyExists`,e[e.TooManyInitialisationRequests=4429]=`TooManyInitialisationRequests`,e))(K||{}),q=(e=>(e.ConnectionInit=`connection_init`,e.ConnectionAck=`connection_ack`,e.Ping=`ping`,e.Pong=`pong`,e.Subscribe=`subscribe`,e.Next=`next`,e.Error=`error`,e.Complete=`complete`,e))(q||{});function Gt(e){if(!Ht(e))throw Error(`Message is expected to be an object, but got ${G(e)}`);if(!e.type)throw Error(`Message is missing the 'type' property`);if(typeof e.type!=`string`)throw Error(`Message is expects the 'type' property to be a string, but got ${G(e.type)}`);switch(e.type){case`connection_init`:case`connection_ack`:case`ping`:case`pong`:if(e.payload!=null&&!Ht(e.payload))throw Error(`"${e.type}" message expects the 'payload' property to be an object or nullish or missing, but got "${e.payload}"`);break;case`subscribe`:if(typeof e.id!=`string`)throw Error(`"${e.type}" message expects the 'id' property to be a string, but got ${G(e.id)}`);if(!e.id)throw Error(`"${e.type}" message requires a non-empty 'id' property`);if(!Ht(e.payload))throw Error(`"${e.type}" message expects the 'payload' property to be an object, but got ${G(e.payload)}`);if(typeof e.payload.query!=`string`)throw Error(`"${e.type}" message payload expects the 'query' property to be a string, but got ${G(e.payload.query)}`);if(e.payload.variables!=null&&!Ht(e.payload.variables))throw Error(`"${e.type}" message payload expects the 'variables' property to be a an object or nullish or missing, but got ${G(e.payload.variables)}`);if(e.payload.operationName!=null&&G(e.payload.operationName)!==`string`)throw Error(`"${e.type}" message payload expects the 'operationName' property to be a string or nullish or missing, but got ${G(e.payload.operationName)}`);if(e.payload.extensions!=null&&!Ht(e.payload.extensions))throw Error(`"${e.type}" message payload expects the 'extensions' property to be a an object or nullish or missing, but got ${G(e.payload.extensions)}`);break;case`next`:if(typeof e.id!=`string`)throw Error(`"${e.type}" message expects the 'id' property to be a string, but got ${G(e.id)}`);if(!e.id)throw Error(`"${e.type}" message requires a non-empty 'id' property`);if(!Ht(e.payload))throw Error(`"${e.type}" message expects the 'payload' property to be an object, but got ${G(e.payload)}`);break;case`error`:if(typeof e.id!=`string`)throw Error(`"${e.type}" message expects the 'id' property to be a string, but got ${G(e.id)}`);if(!e.id)throw Error(`"${e.type}" message requires a non-empty 'id' property`);if(!Ut(e.payload))throw Error(`"${e.type}" message expects the 'payload' property to be an array of GraphQL errors, but got ${JSON.stringify(e.payload)}`);break;case`complete`:if(typeof e.id!=`string`)throw Error(`"${e.type}" message expects the 'id' property to be a string, but got ${G(e.id)}`);if(!e.id)throw Error(`"${e.type}" message requires a non-empty 'id' property`);break;default:throw Error(`Invalid message 'type' property "${e.type}"`)}return e}function Kt(e,t){return Gt(typeof e==`string`?JSON.parse(e,t):e)}function qt(e,t){return Gt(e),JSON.stringify(e,t)}function Jt(e){let{url:t,connectionParams:n,lazy:r=!0,onNonLazyError:i=console.error,lazyCloseTimeout:a=0,keepAlive:o=0,disablePong:s,connectionAckWaitTimeout:c=0,retryAttempts:l=5,retryWait:u=async function(e){let t=2**e;await new Promise(e=>setTimeout(e,t*1e3+Math.floor(Math.random()*2700+300)))},shouldRetry:d=Xt,on:f,webSocketImpl:p,generateID:m=function(){return`xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx`.replace(/[xy]/g,e=>{let t=Math.random()*16|0;return(e==`x`?t:t&3|8).toString(16)})},jsonMessageReplacer:h,jsonMessageReviver:g}=e,_;if(p){if(!Qt(p))throw Error(`Invalid WebSocket implementation provided`);_=p}else typeof WebSocket<`u`?_=WebSocket:typeof global<`u`?_=global.WebSocket||global.MozWebSocket:typeof window<`u`&&(_=window.WebSocket||window.MozWebSocket);if(!_)throw Error("WebSocket implementation missing; on Node you can `import WebSocket from 'ws';` and pass `webSocketImpl: WebSocket` to `createClient`");let v=_,y=(()=>{let e=(()=>{let e={};return{on(t,n){return e[t]=n,()=>{delete e[t]}},emit(t){`id`in t&&e[t.id]?.(t)}}})(),t={connecting:f?.connecting?[f.connecting]:[],opened:f?.opened?[f.opened]:[],connected:f?.connected?[f.connected]:[],ping:f?.ping?[f.ping]:[],pong:f?.pong?[f.pong]:[],message:f?.message?[e.emit,f.message]:[e.emit],closed:f?.closed?[f.closed]:[],error:f?.error?[f.error]:[]};return{onMessage:e.on,on(e,n){let r=t[e];return r.push(n),()=>{let e=r.indexOf(n);e>-1&&r.splice(e,1)}},emit(e,...n){for(let r of[...t[e]])r(...n)}}})();function b(e){let t=[y.on(`error`,n=>{t.forEach(e=>e()),e(n)}),y.on(`closed`,n=>{t.forEach(e=>e()),e(n)})];return()=>t.forEach(e=>e())}let x,S=0,C,w=!1,T=0,E=!1;async function D(){clearTimeout(C);let[e,r]=await(x??=new Promise((e,r)=>(async()=>{if(w){if(await u(T),!S)return x=void 0,r({code:1e3,reason:`All Subscriptions Gone`});T++}y.emit(`connecting`,w);let i=new v(typeof t==`function`?await t():t,`graphql-transport-ws`),a,l;function d(){isFinite(o)&&o>0&&(clearTimeout(l),l=setTimeout(()=>{i.readyState===v.OPEN&&(i.send(qt({type:q.Ping})),y.emit(`ping`,!1,void 0))},o))}b(e=>{x=void 0,clearTimeout(a),clearTimeout(l),r(e),e instanceof Yt&&(i.close(4499,`Terminated`),i.onerror=null,i.onclose=null)}),i.onerror=e=>y.emit(`error`,e),i.onclose=e=>y.emit(`closed`,e),i.onopen=async()=>{try{y.emit(`opened`,i);let e=typeof n==`function`?await n():n;if(i.readyState!==v.OPEN)return;i.send(qt(e?{type:q.ConnectionInit,payload:e}:{type:q.ConnectionInit},h)),isFinite(c)&&c>0&&(a=setTimeout(()=>{i.close(K.ConnectionAcknowledgementTimeout,`Connection acknowledgement timeout`)},c)),d()}catch(e){y.emit(`error`,e),i.close(K.InternalClientError,Wt(e instanceof Error?e.message:String(e),`Internal client error`))}};let f=!1;i.onmessage=({data:t})=>{try{let n=Kt(t,g);if(y.emit(`message`,n),n.type===`ping`||n.type===`pong`){y.emit(n.type,!0,n.payload),n.type===`pong`?d():s||(i.send(qt(n.payload?{type:q.Pong,payload:n.payload}:{type:q.Pong},h)),y.emit(`pong`,!1,n.payload));return}if(f)return;if(n.type!==q.ConnectionAck)throw Error(`First message cannot be of type ${n.type}`);clearTimeout(a),f=!0,y.emit(`connected`,i,n.payload,w),w=!1,T=0;let r=new Promise((e,t)=>b(t));r.catch(()=>{}),e([i,r])}catch(e){i.onmessage=null,y.emit(`error`,e),i.close(K.BadResponse,Wt(e instanceof Error?e.message:String(e),`Bad response`))}}})()));e.readyState===v.CLOSING&&await r;let i=()=>{},l=new Promise(e=>i=e);return[e,i,new Promise((t,n)=>{let i=b(n);e.readyState!==v.OPEN&&r.catch(n),l.then(()=>{if(i(),!S){let t=()=>e.close(1e3,`Normal Closure`);isFinite(a)&&a>0?(clearTimeout(C),C=setTimeout(()=>{!S&&e.readyState===v.OPEN&&t()},a)):t()}t()})})]}function ee(e){if(Xt(e)&&(Zt(e.code)||[K.InternalServerError,K.InternalClientError,K.BadRequest,K.BadResponse,K.Unauthorized,K.SubprotocolNotAcceptable,K.SubscriberAlreadyExists,K.TooManyInitialisationRequests].includes(e.code)))throw e;if(E)return!1;if(Xt(e)&&e.code===1e3)return S>0;if(!l||T>=l||!d(e))throw e;return w=!0}r||(async()=>{for(S++;;)try{let[,,e]=await D();await e}catch(e){try{if(!ee(e))return}catch(e){return i?.(e)}}})();function O(e,t){let n=m(e),r=!1,i=!1,a=()=>{S--,r=!0};return(async()=>{for(S++;;)try{let[o,s,c]=await D();if(r)return c.catch(()=>{}),s();let l=y.onMessage(n,e=>{switch(e.type){case q.Next:t.next(e.payload);return;case q.Error:i=!0,r=!0,t.error(e.payload),a();return;case q.Complete:r=!0,a();return}});o.send(qt({id:n,type:q.Subscribe,payload:e},h)),a=()=>{!r&&o.readyState===v.OPEN&&o.send(qt({id:n,type:q.Complete},h)),S--,r=!0,s()},await c.finally(l);return}catch(e){if(!ee(e))return}})().then(()=>{i||t.complete()}).catch(e=>{t.error(e)}),()=>{r||a()}}return{on:y.on,subscribe:O,iterate(e){let t=[],n={done:!1,error:null,resolve:()=>{}},r=O(e,{next(e){t.push(e),n.resolve()},error(e){n.done=!0,n.error=e,n.resolve()},complete(){n.done=!0,n.resolve()}}),i=async function*(){for(;;){for(t.length||await new Promise(e=>n.resolve=e);t.length;)yield t.shift();if(n.error)throw n.error;if(n.done)return}}();return i.throw=async e=>(n.done||(n.done=!0,n.error=e,n.resolve()),{done:!0,value:void 0}),i.return=async()=>(r(),{done:!0,value:void 0}),i},async dispose(){if(E=!0,x){let[e]=await x;e.close(1e3,`Normal Closure`)}},terminate(){x&&y.emit(`closed`,new Yt)}}}var Yt=class extends Error{name=`TerminatedCloseEvent`;message=`4499: Terminated`;code=4499;reason=`Terminated`;wasClean=!1};function Xt(e){return Ht(e)&&`code`in e&&`reason`in e}function Zt(e){return![1e3,1001,1006,1005,1012,1013,1014].includes(e)&&e>=1e3&&e<=1999}function Qt(e){return typeof e==`function`&&`constructor`in e&&`CLOSED`in e&&`CLOSING`in e&&`CONNECTING`in e&&`OPEN`in e}var $t=5,en=10,tn=B(`idle`);async function nn(e,t){let n=await Vt();try{return await Et(e,t,n)}catch(r){if(!(r instanceof Tt)||r.code!==`UNAUTHENTICATED`||!n)throw r;return Et(e,t,await Vt(n))}}var rn=()=>{},an=e=>new Promise(t=>{let n=setTimeout(t,e*1e3);rn=()=>{clearTimeout(n),t()}}),on,sn=Jt({url:wt.href.replace(/^http/,`ws`),connectionParams:async()=>{let e=await Vt();return e?{authorization:`Bearer ${e}`}:{}},keepAlive:en*1e3,retryAttempts:1/0,shouldRetry:()=>!0,retryWait:e=>an(Math.min($t,.25*2**e)*(.75+Math.random()/2)),on:{connecting:()=>{tn.peek()!==`lost`&&(tn.value=`connecting`)},connected:()=>{tn.value=`open`},closed:()=>{tn.value=`lost`},ping:e=>{e||(on=setTimeout(()=>sn.terminate(),en/2*1e3))},pong:e=>{e&&clearTimeout(on)}}});for(let e of[`online`,`focus`])addEventListener(e,()=>rn());U(()=>{if(!At.value){sn.terminate();return}let e=setTimeout(()=>sn.terminate(),Math.min(Bt()+1e3,2**31-1));return()=>clearTimeout(e)});function cn(e,t,n){let r={...t},i;return sn.subscribe({query:e.toString(),variables:r},{next:({data:e,errors:t})=>{let a=e&&Object.values(e)[0];a?.cursor&&(r.after=a.cursor),t?i=t[0]?.extensions?.code??`INTERNAL`:e&&n.next(e)},error:e=>{let t=Array.isArray(e)?e[0]:void 0;n.ended(t?.extensions?.code??`INTERNAL`)},complete:()=>n.ended(i)})}function ln(e){return!(`message`in e)||e.message===void 0?null:e.reasons?.length?e.reasons.map(({message:e})=>e):e.issues?.length?e.issues.map(({message:e})=>e):[e.message]}var un=`0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz`,dn=un.slice(10),fn=new Map;function pn(e){let t=fn.get(e);if(t===void 0){t=new Uint8Array(256);for(let n=0;n<e.length;n++)t[e.charCodeAt(n)]=n;fn.set(e,t)}return t}function mn(e,t,n,r){let i=n[0];if(t!=null&&e>=t)throw Error(e+` >= `+t);if(e.slice(-1)===i||t&&t.slice(-1)===i)throw Error(`trailing zero`);if(t){let a=0;for(;(e[a]||i)===t[a];)a++;if(a>0)return t.slice(0,a)+mn(e.slice(a),t.slice(a),n,r)}let a=e?r[e.charCodeAt(0)]:0,o=t==null?n.length:r[t.charCodeAt(0)];return o-a>1?n[Math.round(.5*(a+o))]:t&&t.length>1?t.slice(0,1):n[a]+mn(e.slice(1),null,n,r)}function hn(e,t,n){if(e.length!==gn(e[0],t,n))throw Error(`invalid integer part of order key: `+e)}function gn(e,t,n){let r=n[e.charCodeAt(0)];if(t[r]===e){let e=t.length/2;return r<e?e-r+1:r-e+2}throw Error(`invalid order key head: `+e)}function _n(e,t,n){let r=gn(e[0],t,n);if(r>e.length)throw Error(`invalid order key: `+e);return e.slice(0,r)}function vn(e,t,n,r){if(Sn(e,t,n))throw Error(`invalid order key: `+e);let i=_n(e,n,r);if(e.slice(i.length).slice(-1)===t[0])throw Error(`invalid order key: `+e)}function yn(e,t,n,r,i){hn(e,r,i);let a=e[0],o=t[0],s=``;for(let r=e.length-1;r>=1;r--){let i=n[e.charCodeAt(r)]+1;if(i===t.length)s=o+s;else return a+e.slice(1,r)+t[i]+s}let c=i[a.charCodeAt(0)];if(c===r.length-1)return null;let l=r[c+1],u=gn(l,r,i)-gn(a,r,i);return l+(u>0?s+o:u<0?s.slice(1):s)}function bn(e,t,n,r,i){hn(e,r,i);let a=e[0],o=t[t.length-1],s=``;for(let r=e.length-1;r>=1;r--){let i=n[e.charCodeAt(r)]-1;if(i===-1)s=o+s;else return a+e.slice(1,r)+t[i]+s}let c=i[a.charCodeAt(0)];if(c===0)return null;let l=r[c-1],u=gn(l,r,i)-gn(a,r,i);return l+(u>0?s+o:u<0?s.slice(1):s)}var xn=new Map;function Sn(e,t,n){let r=xn.get(n);r===void 0&&(r=new Map,xn.set(n,r));let i=t.charCodeAt(0),a=r.get(i);return a===void 0&&(a=n[0]+t[0].repeat(n.length/2),r.set(i,a)),e===a}function Cn(e){for(let t=1;t<e.length;t++)if(e.charCodeAt(t-1)>=e.charCodeAt(t))return!1;return!0}function wn(e){for(let t=0;t<e.length;t++)if(e.charCodeAt(t)>255)return!1;return!0}var Tn=new Set;function En(e){if(!Tn.has(e)){if(e.length<2||!Cn(e))throw Error(`digits must be at least 2 characters in strictly ascending character code order: `+e);if(!wn(e))throw Error(`digits must be single-byte (char code 0-255): `+e);Tn.add(e)}}var Dn=new Set;function On(e){if(!Dn.has(e)){if(e.length<2||e.length%2!=0||!Cn(e))throw Error(`intDigits must be an even number of at least 2 characters in strictly ascending character code order: `+e);if(!wn(e))throw Error(`intDigits must be single-byte (char code 0-255): `+e);Dn.add(e)}}function kn(e,t,n=void 0,r=void 0){r===void 0?r=n??dn:On(r),n===void 0?n=un:En(n);let i=pn(n),a=pn(r);if(e!=null&&vn(e,n,r,a),t!=null&&vn(t,n,r,a),e!=null&&t!=null&&e>t){let n=e;e=t,t=n}if(e==null){if(t==null)return r[r.length/2]+n[0];let e=_n(t,r,a),o=t.slice(e.length);if(Sn(e,n,r))return e+mn(``,o,n,i);if(e<t)return e;let s=bn(e,n,i,r,a);if(s==null)throw Error(`cannot decrement any more`);return s}if(t==null){let t=_n(e,r,a),o=e.slice(t.length);return yn(t,n,i,r,a)??t+mn(o,null,n,i)}let o=_n(e,r,a),s=e.slice(o.length),c=_n(t,r,a),l=t.slice(c.length);if(o===c)return o+mn(s,l,n,i);let u=yn(o,n,i,r,a);if(u==null)throw Error(`cannot increment any more`);return u<t?u:o+mn(s,null,n,i)}var An=(e,t)=>e.rank<t.rank?-1:e.rank>t.rank?1:e.id<t.id?-1:+(e.id>t.id);function jn(e,t){try{return kn(e??null,t??null)}catch{return e??t??`a0`}}var Mn=8,Nn=B([]),Pn=0;function Fn(e,t=[],n=`done`){let r=++Pn;Nn.value=[...Nn.value.slice(-2),{id:r,title:e,details:t,kind:n}],setTimeout(()=>In(r),Mn*1e3)}function In(e){Nn.value=Nn.value.filter(t=>t.id!==e)}var Ln=8,Rn=new Set([`NOT_FOUND`,`FORBIDDEN`]),zn=new Set([void 0,`UNAVAILABLE`,`TIMEOUT`,`UNAUTHENTICATED`,`RATE_LIMITED`]),Bn=class{id;facts=B(null);columns=B([]);lanes=B(new Map);cards=new Map;failure=B(null);seq=B(0);touched=B({id:``,count:0,type:``});mayWrite=H(()=>this.facts.value?.workspace?.myRole!==`VIEWER`);pending=new Map;read=new Map;arrived=[];frame;stop=()=>{};closed=!1;cursor=``;constructor(e){this.id=e,this.load()}close(){this.closed=!0,this.stop(),clearTimeout(this.frame)}async load(){try{let{board:e}=await nn(ht,{id:this.id});if(this.closed)return;if(!e){this.failure.value=`This board does not exist, or you may not see it.`;return}let{cards:t,columns:n,cursor:r,seq:i,...a}=e;I(()=>{this.failure.value=null,this.facts.value=a,this.columns.value=[...n].sort(An),this.cards.clear(),this.seq.value=i,this.read.clear();for(let e of t.nodes)this.cards.set(e.id,B(e));this.arrange()}),this.cursor=r,this.listen(),t.pageInfo.hasNextPage&&await this.loadRest(t.pageInfo.endCursor)}catch(e){if(this.closed)return;this.failure.value=e.message,setTimeout(()=>this.failure.peek()&&!this.closed&&void this.load(),2e3)}}async loadRest(e){for(;e;){let{board:t}=await nn(ht,{id:this.id,after:e});if(!t||this.closed)return;I(()=>t.cards.nodes.forEach(e=>this.put(e,t.seq))),e=t.cards.pageInfo.hasNextPage?t.cards.pageInfo.endCursor:null}}listen(){this.stop=cn(gt,{id:this.id,after:this.cursor},{next:({boardFeed:e})=>{this.arrived.push(e),this.frame??=setTimeout(()=>this.apply(),16)},ended:e=>{this.closed||(Rn.has(e??``)?this.failure.value=`This board was deleted, or you may no longer see it.`:zn.has(e)?setTimeout(()=>!this.closed&&this.listen(),1e3):setTimeout(()=>!this.closed&&void this.load(),500))}})}apply(){this.frame=void 0;let e=performance.now()+Ln;I(()=>{let t;for(;performance.now()<e&&(t=this.arrived.shift());)this.show(t)}),this.arrived.length&&(this.frame=setTimeout(()=>this.apply(),16))}show({seq:e,cursor:t,event:n}){if(this.cursor=t,this.seq.value=e,`cardId`in n)n.card?this.put(n.card,e):this.remove(n.cardId),this.touched.value={id:n.cardId,count:this.touched.peek().count+1,type:n.__typename};else if(`ranks`in n){for(let{nodeId:e,rank:t}of n.ranks){let n=this.cards.get(e);n&&(n.value={...n.peek(),rank:t}),this.columns.value=this.columns.peek().map(n=>n.id===e?{...n,rank:t}:n)}this.columns.value=[...this.columns.peek()].sort(An),this.arrange()}else if(`columnId`in n){let e=this.columns.peek().filter(({id:e})=>e!==n.columnId);this.columns.value=(n.column?[...e,n.column]:e).sort(An),this.arrange()}else n.__typename===`BoardDeleted`?this.failure.value=`This board was deleted.`:/^(Board|Label|AgentProfile)/.test(n.__typename)&&this.reload()}async reload(){let{board:e}=await nn(ht,{id:this.id});if(!e||this.closed)return;let{cards:t,columns:n,cursor:r,seq:i,...a}=e;I(()=>{this.facts.value=a,t.nodes.forEach(e=>this.put(e,i))})}put(e,t){if(t<(this.read.get(e.id)??0))return;this.read.set(e.id,t);let n=this.cards.get(e.id);if(e.archivedAt){this.remove(e.id);return}let r={...e,...this.pending.get(e.id)},i=n?.peek();n?n.value=r:this.cards.set(r.id,B(r)),(i?.columnId!==r.columnId||i.rank!==r.rank)&&(i&&i.columnId!==r.columnId&&this.sort(i.columnId),this.sort(r.columnId))}putChanged(e){I(()=>this.put(e,e.board?.seq??this.seq.peek()))}remove(e){let t=this.cards.get(e);t&&(this.cards.delete(e),this.sort(t.peek().columnId))}arrange(){let e=new Map(this.columns.peek().map(({id:e})=>[e,this.lanes.peek().get(e)??B([])]));this.lanes.value=e;for(let t of e.keys())this.sort(t)}sort(e){let t=this.lanes.peek().get(e);if(!t)return;let n=[];for(let t of this.cards.values())t.peek().columnId===e&&n.push(t.peek());let r=n.sort(An).map(({id:e})=>e);r.join()!==t.peek().join()&&(t.value=r)}overlay(e,t){let n=this.cards.get(e);if(!n)return;let r=n.peek().columnId;n.value={...n.peek(),...t},this.sort(r),this.sort(n.peek().columnId)}async move(e,t,n,r=!0){let i=this.cards.get(e)?.peek(),a=this.columns.peek().find(e=>e.id===t);if(!i||!a)return!1;let o=(this.lanes.peek().get(t)?.peek()??[]).filter(t=>t!==e),s=n===null?0:o.indexOf(n)+1,c=e=>e?this.cards.get(e)?.peek().rank:void 0,l=jn(c(o[s-1]),c(o[s])),u={columnId:i.columnId,stage:i.stage,rank:i.rank},d={columnId:t,stage:a.stage,rank:l};r&&(this.pending.set(e,d),I(()=>this.overlay(e,d)));let f={id:e,position:n===null?{top:!0}:{after:n}};t!==u.columnId&&(f.destination={columnId:t});try{let t=(await nn(vt,{input:f})).moveCard;this.settle(e,d);let n=ln(t);if(n===null)return this.putChanged(t),!0;this.restore(e,d,u),Fn(`${i.name} stays in ${this.nameOf(u.columnId)}`,n,`refused`)}catch(t){this.settle(e,d),this.restore(e,d,u),Fn(`${i.name} was not moved`,[t.message],`refused`)}return!1}settle(e,t){this.pending.get(e)===t&&this.pending.delete(e)}restore(e,t,n){this.cards.get(e)?.peek()?.rank===t.rank&&!this.pending.has(e)&&I(()=>this.overlay(e,n))}async create(e,t){let n=(await nn(yt,{input:{boardId:this.id,title:t,destination:{columnId:e},position:{top:!0}}})).createCard,r=ln(n);return r?Fn(`The card was not created`,r,`refused`):this.putChanged(n),r===null}nameOf(e){return this.columns.peek().find(({id:t})=>t===e)?.name??``}},Vn=B(null),Hn=B(null),Un=H(()=>Vn.value?.workspaces.nodes??[]),Wn=H(()=>Un.value.flatMap(e=>e.boards.nodes));async function Gn(){try{Vn.value=await nn(mt,{}),Hn.value=null}catch(e){Hn.value=e.message,setTimeout(()=>Hn.peek()&&void Gn(),3e3)}}var Kn=`signalbox:theme`,qn=B(localStorage.getItem(Kn)??`system`);qn.subscribe(e=>{localStorage.setItem(Kn,e),e===`system`?delete document.documentElement.dataset.theme:document.documentElement.dataset.theme=e});var Jn=()=>location.hash.startsWith(`#/`)?location.hash.slice(2).split(`/`).filter(Boolean).map(decodeURIComponent):[],J=B(Jn());addEventListener(`hashchange`,()=>{J.value=Jn()});var Yn=H(()=>J.value[0]??``),Xn=H(()=>J.value[0]===`boards`?J.value[1]??null:null),Zn=H(()=>J.value[0]===`boards`?J.value[2]??null:null);H(()=>J.value[0]===`boards`?J.value[3]??null:null),H(()=>J.value[1]??null);var Qn=(...e)=>`#/${e.filter(Boolean).map(e=>encodeURIComponent(e)).join(`/`)}`;function $n(...e){let t=Qn(...e);t!==location.hash&&(location.hash=t),J.value=Jn()}function er(...e){history.replaceState(history.state,``,Qn(...e)),J.value=Jn()}var tr=Symbol.for(`pv`),nr=0;Array.isArray;function Y(t,n,r,i,a,o){n||={};var s,c,l=n;if(`ref`in l&&typeof t!=`function`)for(c in l={},n)c==`ref`?s=n[c]:l[c]=n[c];var u={type:t,props:l,key:r,ref:s,__k:null,__:null,__b:0,__e:null,__c:null,constructor:tr,__v:--nr,__i:-1,__u:0};return(a||o)&&(u.__source=a,u.__self=o),e.vnode&&e.vnode(u),u}var rr={inbox:`M2.5 9.5h3l1 2h3l1-2h3M4 3.5h8l1.5 6v3h-11v-3z`,chart:`M3 13V8.5M8 13V3.5M13 13V6.5`,search:`M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14`,filter:`M2.5 4.5h11M4.5 8h7M6.5 11.5h3`,plus:`M8 3v10M3 8h10`,close:`m4 4 8 8M12 4l-8 8`,check:`m3.5 8.5 3 3 6-7`,comment:`M3 3.5h10v7H8l-3 2.5v-2.5H3z`,subtask:`M3 4h2v2H3zM3 10h2v2H3zM8 5h5M8 11h5`,calendar:`M3 4h10v9H3zM3 7h10M6 2.5v3M10 2.5v3`,board:`M2.5 3.5h3v9h-3zM6.5 3.5h3v6h-3zM10.5 3.5h3v7.5h-3z`,code:`m5.5 5-3 3 3 3M10.5 5l3 3-3 3`,menu:`M2.5 4.5h11M2.5 8h11M2.5 11.5h11`,sun:`M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9`,moon:`M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z`,half:`M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11`,play:`M5 3.5v9l7-4.5z`,stop:`M4.5 4.5h7v7h-7z`,retry:`M3 8a5 5 0 1 0 1.5-3.5M3 2.5V5h2.5`,chevron:`m6 4 4 4-4 4`,robot:`M4 6h8v6.5H4zM8 6V3.5M6.5 9h.01M9.5 9h.01M2.5 8.5v2M13.5 8.5v2`,bolt:`M8.5 2 4 9h3.5l-.5 5L12 7H8.5z`,file:`M4 2.5h5l3 3v8H4zM9 2.5v3h3`,bell:`M4 11V7.5a4 4 0 0 1 8 0V11l1 1H3zM7 13.5h2`,keyboard:`M2 4.5h12v7H2zM4.5 7h.01M7 7h.01M9.5 7h.01M12 7h.01M5 9.5h6`,branch:`M5 4v8M5 4a1 1 0 1 0 0-.01M5 13a1 1 0 1 0 0-.01M11 5a1 1 0 1 0 0-.01M11 6c0 3-6 2-6 5`};function X({name:e,size:t=16}){return Y(`svg`,{class:`icon`,width:t,height:t,viewBox:`0 0 16 16`,"aria-hidden":`true`,children:Y(`path`,{d:rr[e]})})}var ir={BACKLOG:0,PLAN:0,TODO:0,IN_PROGRESS:.5,REVIEW:.75,DONE:1};function ar({stage:e}){let t=2*Math.PI*2.5;return Y(`svg`,{class:`stage stage-${e.toLowerCase()}`,width:`16`,height:`16`,viewBox:`0 0 16 16`,"aria-hidden":`true`,children:[Y(`circle`,{class:`stage-rim`,cx:`8`,cy:`8`,r:`5.8`}),e===`DONE`?Y(x,{children:[Y(`circle`,{class:`stage-full`,cx:`8`,cy:`8`,r:`5.8`}),Y(`path`,{class:`stage-check`,d:`m5.4 8.2 1.8 1.8 3.4-3.8`})]}):Y(`circle`,{class:`stage-part`,cx:`8`,cy:`8`,r:`2.5`,"stroke-dasharray":`${t*ir[e]} ${t}`,transform:`rotate(-90 8 8)`})]})}var or={NONE:0,LOW:1,MEDIUM:2,HIGH:3,CRITICAL:4};function sr({priority:e}){return Y(`svg`,{class:`priority priority-${e.toLowerCase()}`,width:`14`,height:`14`,viewBox:`0 0 16 16`,"aria-hidden":`true`,children:e===`CRITICAL`?Y(x,{children:[Y(`rect`,{x:`1.5`,y:`1.5`,width:`13`,height:`13`,rx:`3`}),Y(`path`,{class:`mark`,d:`M8 4.5v4.5M8 11.3v.2`})]}):[0,1,2].map(t=>Y(`rect`,{x:1.5+t*5,y:10-t*3.5,width:`3`,height:4.5+t*3.5,rx:`1`,opacity:t<or[e]?1:.28},t))})}function cr({done:e,total:t}){let n=2*Math.PI*5;return Y(`svg`,{class:`ring`,width:`14`,height:`14`,viewBox:`0 0 14 14`,"aria-hidden":`true`,children:[Y(`circle`,{cx:`7`,cy:`7`,r:`5`}),Y(`circle`,{class:`ring-part`,cx:`7`,cy:`7`,r:`5`,"stroke-dasharray":`${t?n*e/t:0} ${n}`,transform:`rotate(-90 7 7)`})]})}var lr=({children:e})=>Y(`span`,{class:`hidden`,children:e}),ur=e=>e.nickname??([e.firstName,e.lastName].filter(Boolean).join(` `)||e.username),dr=e=>e.split(/\s+/).slice(0,2).map(e=>[...e][0]??``).join(``).toUpperCase(),fr=e=>{let t=0;for(let n of e)t=t*31+n.codePointAt(0)>>>0;return t%8*45+10};function pr({person:e}){let t=ur(e);return Y(`span`,{class:`avatar`,style:{"--hue":fr(e.id)},title:t,children:[Y(`span`,{"aria-hidden":`true`,children:dr(t)}),Y(lr,{children:t})]})}var mr=({label:e})=>Y(`span`,{class:`label`,style:{"--label":e.colour},children:e.name}),hr={IDLE:`Idle`,QUEUED:`Waits for a worker`,STARTING:`Starts`,PLANNING:`Plans`,WORKING:`Works`,WAITING_TOOL:`Waits for a tool`,WAITING_INPUT:`Asks you`,BLOCKED:`Blocked`,SUCCEEDED:`Succeeded`,FAILED:`Failed`,CANCELLED:`Stopped`},gr=({state:e,activity:t})=>Y(`span`,{class:`agent agent-${e.toLowerCase()}`,children:[Y(`span`,{class:`agent-dot`,"aria-hidden":`true`}),Y(`span`,{class:`agent-state`,children:hr[e]}),t&&Y(`span`,{class:`agent-activity`,children:t})]}),_r=e=>e.charAt(0)+e.slice(1).toLowerCase().replaceAll(`_`,` `),vr=Object.assign;function yr(e,t){for(var n in e)if(n!=`__source`&&e[n]!==t[n])return!0;for(var r in t)if(r!=`__source`&&!(r in e))return!0;return!1}var br=/^(-|f[lo].*[^se]$|g.{5,}[^ps]$|z|o[pr]|(W.{5})?[lL]i.*(t|mp)$|an|(bo|s).{4}Im|sca|m.{6}[ds]|ta|c.*[st]$|wido|ini|asp|fill|st)/;function xr(e,t){function n(e){var n=this.props.ref;return n!=e.ref&&n&&(typeof n==`function`?n(null):n.current=null),t?!t(this.props,e)||n!=e.ref:yr(this.props,e)}function r(t){return this.shouldComponentUpdate=n,y(e,t)}return r.displayName=`Memo(`+(e.displayName||e.name)+`)`,r.prototype.isReactComponent=!0,r.type=e,r}var Sr=Symbol.for(`react.element`),Cr=/^(?:accent|alignment|arabic|baseline|cap|clip(?!PathU)|color|dominant|fill|flood|font|glyph(?!R)|horiz|image(?!S)|letter|lighting|marker(?!H|W|U)|overline|paint|pointer|shape|stop|strikethrough|stroke|text(?!L)|transform|underline|unicode|units|v|vector|vert|word|writing|x(?!C))[A-Z]/,wr=/[A-Z0-9]/g,Tr=typeof document<`u`,Er=function(e){return/fil|che|rad/.test(e)};S.prototype.isReactComponent=!0,[`componentWillMount`,`componentWillReceiveProps`,`componentWillUpdate`].forEach(function(e){Object.defineProperty(S.prototype,e,{configurable:!0,get:function(){return this[`UNSAFE_`+e]},set:function(t){Object.defineProperty(this,e,{configurable:!0,writable:!0,value:t})}})});var Dr=e.event;e.event=function(e){return Dr&&(e=Dr(e)),e.persist=function(){},e.isPropagationStopped=function(){return this.cancelBubble},e.isDefaultPrevented=function(){return this.defaultPrevented},e.nativeEvent=e};var Or={configurable:!0,get:function(){return this.class}},kr=e.vnode;e.vnode=function(e){if(typeof e.type==`string`)(function(e){var t=e.props,n=e.type,r={},i=n.indexOf(`-`)==-1;for(var a in t){var o=t[a];if(!(a==`value`&&`defaultValue`in t&&o==null||Tr&&a==`children`&&n==`noscript`||a==`class`||a==`className`)){if(a==`style`&&o&&o.constructor==Object){var s=void 0;for(var c in o)typeof o[c]!=`number`||br.test(c)||(s||=o=vr({},o),o[c]+=`px`)}else if(a==`defaultValue`&&`value`in t&&t.value==null)a=`value`;else if(a==`download`&&!0===o)o=``;else if(a==`translate`&&o===`no`)o=!1;else if(a[0]==`o`&&a[1]==`n`){var l=a.toLowerCase();l==`ondoubleclick`?a=`ondblclick`:l!=`onchange`||n!=`input`&&n!=`textarea`||Er(t.type)?l==`onfocus`?a=`onfocusin`:l==`onblur`&&(a=`onfocusout`):l=a=`oninput`,l==`oninput`&&r[a=l]&&(a=`oninputCapture`)}else i&&Cr.test(a)?a=a.replace(wr,`-$&`).toLowerCase():o===null&&(o=void 0);r[a]=o}}if(n==`select`){var u=r.defaultValue==null?r.multiple&&Array.isArray(r.value)?r.value:null:r.defaultValue;u!=null&&(r.value=te(t.children).forEach(function(e){e.props.selected=r.multiple?u.indexOf(e.props.value)!=-1:u==e.props.value}))}t.class&&!t.className?(r.class=t.class,Object.defineProperty(r,"className",Or)):t.className&&(r.class=r.className=t.className),e.props=r})(e);else if(typeof e.type==`function`&&(`ref`in e.props&&`prototype`in e.type&&e.type.prototype.render&&(e.ref=e.props.ref,delete e.props.ref),e.type.defaultProps)){var t=vr({},e.props);for(var n in e.type.defaultProps)t[n]===void 0&&(t[n]=e.type.defaultProps[n]);e.props=t}e.ref&&!(`ref`in e.props)&&Object.defineProperty(e.props,"ref",{value:e.ref,configurable:!0,writable:!0}),e.$$typeof=Sr,kr&&kr(e)};var Ar={working:[`QUEUED`,`STARTING`,`PLANNING`,`WORKING`,`WAITING_TOOL`,`BLOCKED`],asking:[`WAITING_INPUT`],failed:[`FAILED`,`CANCELLED`]},jr=B(``),Mr=B(new Set),Z=B(new Set),Nr=B(new Set),Pr=H(()=>!!jr.value.trim()||Mr.value.size+Z.value.size+Nr.value.size>0);function Fr(){jr.value=``,Mr.value=Z.value=Nr.value=new Set}function Ir(e,t){let n=new Set(e.value);n.delete(t)||n.add(t),e.value=n}var Lr=e=>e.normalize(`NFKD`).replace(/\p{M}/gu,``).toLowerCase();function Rr(e){let t=Lr(jr.value.trim());return!(t&&!Lr(`${e.name} ${e.title}`).includes(t)||Mr.value.size&&!e.assignees.some(({id:e})=>Mr.value.has(e))||Z.value.size&&!e.labels.some(({id:e})=>Z.value.has(e))||Nr.value.size&&![...Nr.value].some(t=>Ar[t].includes(e.agentState)))}var zr=4,Br=220,Vr=56,Hr=14,Q=B(null),Ur=B(null),Wr=B(``);function Gr(e,t,n){let r=e.cards.get(t)?.peek();if(!r)return;let i=e.lanes.peek().get(r.columnId)?.peek()??[],a={columnId:r.columnId,after:i[i.indexOf(t)-1]??null};I(()=>{Ur.value=null,Q.value={id:t,name:r.name,by:n,from:a,over:n===`keyboard`?a:null}}),nn(_t,{id:t}).then(({card:e})=>{Q.peek()?.id===t&&e&&(Ur.value=new Map(e.moves.map(e=>[e.stage,e])))}).catch(()=>{})}function Kr(e){let t=Q.peek();t&&(t.over?.columnId!==e?.columnId||t.over?.after!==e?.after)&&(Q.value={...t,over:e})}var qr=(e,t)=>t===Q.value?.from.columnId||(Ur.value?.get(e)?.allowed??!0);function Jr(){Q.peek()&&(Wr.value=`${Q.peek().name} was put back.`),Q.value=null}async function Yr(e){let t=Q.peek(),n=e.columns.peek().find(({id:e})=>e===t?.over?.columnId);if(!t?.over||!n)return Jr();let{id:r,name:i,over:a,from:o}=t,s=qr(n.stage,n.id);Q.value=null,(a.columnId!==o.columnId||a.after!==o.after&&a.after!==r)&&await e.move(r,a.columnId,a.after,s)&&(Wr.value=`${i} is in ${n.name} now.`)}function Xr(e,t,n){let r=document.elementFromPoint(e,t)?.closest(`[data-column]`);if(!r)return null;let i=null;for(let e of r.querySelectorAll(`[data-card]`)){let r=e.dataset.card;if(r===n)continue;let a=e.getBoundingClientRect();if(t<a.top+a.height/2)break;i=r}return{columnId:r.dataset.column,after:i}}function Zr(e,t){let n=e=>Math.ceil((1-Math.max(0,e)/Vr)*Hr),r=document.querySelector(`.columns`);if(r){let t=r.getBoundingClientRect();e<t.left+Vr?r.scrollLeft-=n(e-t.left):e>t.right-Vr&&(r.scrollLeft+=n(t.right-e))}let i=document.elementFromPoint(e,t)?.closest(`[data-column]`)?.querySelector(`.cards`);if(i){let e=i.getBoundingClientRect();t<e.top+Vr?i.scrollTop-=n(t-e.top):t>e.bottom-Vr&&(i.scrollTop+=n(e.bottom-t))}}function Qr(e,t,n){if(n.button!==0||!n.isPrimary||Q.peek()||!e.mayWrite.peek())return;let r=n.currentTarget,i=n.pointerType===`touch`,a=r.getBoundingClientRect(),o={x:n.clientX,y:n.clientY},s=o,c=null,l=0,u=()=>{c=r.cloneNode(!0),c.classList.add(`ghost`),c.setAttribute(`aria-hidden`,`true`),c.removeAttribute(`data-card`),c.style.inlineSize=`${a.width}px`,document.body.append(c),document.documentElement.classList.add(`is-dragging`),Gr(e,t,`pointer`),l=requestAnimationFrame(d)},d=()=>{c.style.translate=`${a.left+s.x-o.x}px ${a.top+s.y-o.y}px`,Zr(s.x,s.y),Kr(Xr(s.x,s.y,t)),l=requestAnimationFrame(d)},f=i?setTimeout(u,Br):void 0,p=e=>{e.pointerId===n.pointerId&&(s={x:e.clientX,y:e.clientY},c||Math.hypot(s.x-o.x,s.y-o.y)<zr||(i?v():u()))},m=r=>{if(r.pointerId!==n.pointerId)return;let i=c!==null;s={x:r.clientX,y:r.clientY},i&&Kr(Xr(s.x,s.y,t)),v(),i&&(addEventListener(`click`,$r,{capture:!0,once:!0}),setTimeout(()=>removeEventListener(`click`,$r,{capture:!0})),Yr(e))},h=()=>{v(),Jr()},g=e=>e.key===`Escape`&&c&&(e.stopPropagation(),h()),_=e=>c&&e.preventDefault(),v=()=>{clearTimeout(f),cancelAnimationFrame(l),c?.remove(),c=null,document.documentElement.classList.remove(`is-dragging`),removeEventListener(`pointermove`,p),removeEventListener(`pointerup`,m),removeEventListener(`pointercancel`,h),removeEventListener(`keydown`,g,!0),removeEventListener(`touchmove`,_)};addEventListener(`pointermove`,p),addEventListener(`pointerup`,m),addEventListener(`pointercancel`,h),addEventListener(`keydown`,g,!0),addEventListener(`touchmove`,_,{passive:!1})}var $r=e=>{e.preventDefault(),e.stopPropagation()};function ei(e,t,n){let r=Q.peek();if(!r?.over)return;let i=e.columns.peek(),a=i.findIndex(({id:e})=>e===r.over.columnId),o=t=>(e.lanes.peek().get(t)?.peek()??[]).filter(e=>e!==r.id&&n(e)),s=o(r.over.columnId),c=r.over.after===null?0:s.indexOf(r.over.after)+1,l=t===`ArrowLeft`?-1:+(t===`ArrowRight`);if(l){let e=i[a+(document.dir===`rtl`?-l:l)];e&&Kr({columnId:e.id,after:o(e.id)[c-1]??o(e.id).at(-1)??null}),e&&c===0&&Kr({columnId:e.id,after:null})}else{let e=Math.min(s.length,Math.max(0,c+(t===`ArrowDown`?1:-1)));Kr({columnId:r.over.columnId,after:e===0?null:s[e-1]})}let u=Q.peek().over,d=i.find(({id:e})=>e===u.columnId),f=u.after===null?1:o(u.columnId).indexOf(u.after)+2,p=Ur.peek()?.get(d.stage),m=d.id!==r.from.columnId&&p&&!p.allowed;Wr.value=`${d.name}, place ${f}.${m?` Not allowed: ${p.reasons[0]?.message??``}`:``}`}function ti({label:e,count:t=0,icon:n,class:r=`pill`,children:i}){let a=Oe(),o=Ee(null),s=Ee(null);return Y(x,{children:[Y(`button`,{ref:s,class:r,popovertarget:a,"aria-haspopup":`true`,children:[n&&Y(X,{name:n}),e,t>0&&Y(`span`,{class:`badge`,children:t})]}),Y(`div`,{ref:o,id:a,class:`menu`,popover:`auto`,role:`group`,"aria-label":e,onToggle:()=>{let e=s.current.getBoundingClientRect(),t=o.current.offsetWidth||220;o.current.style.top=`${Math.min(e.bottom+4,innerHeight-120)}px`,o.current.style.left=`${Math.max(8,Math.min(e.left,innerWidth-t-8))}px`},children:i})]})}var ni=[[`working`,`Agent at work`],[`asking`,`Agent asks`],[`failed`,`Agent failed`]];function ri({board:e}){let t=e.facts.value?.workspace,n=t?.members.nodes.flatMap(({user:e})=>e?[e]:[])??[];return Y(`div`,{class:`filters`,role:`search`,"aria-label":`Filter the cards`,children:[Y(`label`,{class:`field`,children:[Y(X,{name:`filter`}),Y(`input`,{type:`search`,placeholder:`Filter cards`,"aria-label":`Filter cards by text`,value:jr.value,onInput:e=>jr.value=e.currentTarget.value})]}),ni.map(([e,t])=>Y(`button`,{class:`pill agent-filter-${e}`,"aria-pressed":Nr.value.has(e),onClick:()=>Ir(Nr,e),children:[Y(`span`,{class:`agent-dot`,"aria-hidden":`true`}),t]},e)),Y(ti,{label:`Labels`,count:Z.value.size,children:(t?.labels??[]).map(e=>Y(`label`,{class:`choice`,children:[Y(`input`,{type:`checkbox`,checked:Z.value.has(e.id),onChange:()=>Ir(Z,e.id)}),Y(mr,{label:e})]},e.id))}),Y(`div`,{class:`people-filter`,role:`group`,"aria-label":`Filter by people`,children:n.slice(0,8).map(e=>Y(`button`,{class:`person`,"aria-pressed":Mr.value.has(e.id),"aria-label":`Only cards of ${ur(e)}`,onClick:()=>Ir(Mr,e.id),children:Y(pr,{person:e})},e.id))}),Pr.value&&Y(`button`,{class:`quiet`,onClick:Fr,children:`Clear`})]})}var ii=14,ai=20,oi=new Set([`IDLE`,`SUCCEEDED`,`CANCELLED`]);function si({board:e}){let t=e.facts.value;return t?Y(`section`,{class:`board`,"aria-label":t.name,children:[Y(ri,{board:e}),e.failure.value&&Y(`p`,{class:`notice`,children:e.failure.value}),Y(`p`,{id:`card-help`,class:`hidden`,children:`Enter opens the card. Space lifts it: the arrow keys choose a place, Space drops it, Escape puts it back.`}),Y(`div`,{class:`columns`,onKeyDown:t=>vi(e,t),children:e.columns.value.map(t=>Y(ui,{board:e,column:t},t.id))}),Y(`p`,{class:`hidden`,role:`status`,children:Wr})]}):e.failure.value?Y(ci,{text:e.failure.value}):Y(li,{})}var ci=({text:e})=>Y(`div`,{class:`empty`,children:[Y(X,{name:`board`,size:32}),Y(`p`,{children:e})]}),li=()=>Y(`div`,{class:`columns skeleton`,"aria-busy":`true`,children:[5,3,4,2,3].map((e,t)=>Y(`div`,{class:`column`,children:[Y(`div`,{class:`column-head`}),Y(`div`,{class:`cards`,children:Array.from({length:e},(e,t)=>Y(`div`,{class:`card`},t))})]},t))});function ui({board:e,column:t}){let n=lt(ii),r=lt(!1),i=Ee(null),a=e.lanes.value.get(t.id)?.value??[],o=Pr.value?a.filter(t=>Rr(e.cards.get(t).value)):a,s=o.slice(0,n.value),c=ut(()=>Q.value?.over?.columnId===t.id?Q.value.over.after:void 0),l=ut(()=>!Q.value||!Ur.value?``:qr(t.stage,t.id)?`is-allowed`:`is-forbidden`),u=t.wipLimit!==null&&t.wipLimit!==void 0&&a.length>=t.wipLimit,d=s.length<o.length;return Te(()=>{if(!d||!i.current)return;let e=new IntersectionObserver(([e])=>{e?.isIntersecting&&(n.value+=ai)},{rootMargin:`600px`});return e.observe(i.current),()=>e.disconnect()},[d,n.value]),Y(`section`,{class:`column ${l.value}`,"data-column":t.id,"aria-labelledby":`head-${t.id}`,children:[Y(`header`,{class:`column-head`,children:[Y(ar,{stage:t.stage}),Y(`h2`,{id:`head-${t.id}`,children:t.name}),Y(`span`,{class:`count ${u?`is-full`:``}`,children:[Pr.value?`${o.length} of ${a.length}`:a.length,t.wipLimit!=null&&Y(`span`,{class:`limit`,children:[` / `,t.wipLimit]}),Y(lr,{children:t.wipLimit==null?` cards`:` cards, at most ${t.wipLimit}`})]}),e.mayWrite.value&&Y(`button`,{class:`quiet add`,"aria-label":`Add a card to ${t.name}`,onClick:()=>r.value=!0,children:Y(X,{name:`plus`})})]}),l.value===`is-forbidden`&&Y(`p`,{class:`why`,children:Ur.value?.get(t.stage)?.reasons[0]?.message??`Not allowed from here.`}),Y(`ul`,{class:`cards`,tabIndex:-1,children:[r.value&&Y(fi,{board:e,column:t,close:()=>r.value=!1}),c.value===null&&Y(di,{}),s.map(t=>Y(pi,{board:e,id:t,isTarget:c.value===t},t)),d&&Y(`li`,{ref:i,class:`more`,children:[o.length-s.length,` more`]}),o.length===0&&!r.value&&c.value===void 0&&Y(`li`,{class:`none`,children:`No cards`})]})]})}var di=()=>Y(`li`,{class:`line`,role:`presentation`});function fi({board:e,column:t,close:n}){return Y(`li`,{children:Y(`form`,{class:`card new-card`,onSubmit:async r=>{r.preventDefault();let i=r.currentTarget,a=new FormData(i).get(`title`).trim();if(!a)return n();await e.create(t.id,a)&&i.reset()},onKeyDown:e=>e.key===`Escape`&&n(),children:Y(`input`,{name:`title`,"aria-label":`Title of a new card in ${t.name}`,placeholder:`Title, then Enter`,maxLength:255,autoComplete:`off`,ref:e=>e?.focus(),onBlur:e=>!e.currentTarget.value.trim()&&n()})})})}var pi=xr(function({board:e,id:t,isTarget:n}){let r=e.cards.get(t),i=ut(()=>Q.value?.id===t),a=ut(()=>Zn.value===t);return r?Y(x,{children:[Y(`li`,{class:`card ${i.value?`is-lifted`:``} ${a.value?`is-open`:``}`,"data-card":t,onPointerDown:n=>Qr(e,t,n),onDragStart:e=>e.preventDefault(),children:Y(mi,{board:e,card:r.value})}),n&&Y(di,{})]}):null});function mi({board:e,card:t}){let{done:n,total:r}=t.subtaskCount,i=t.openQuestions.length>0,a=t.activeRun?.progress,o=!oi.has(t.agentState)||t.activeRun;return Y(`a`,{href:Qn(`boards`,e.id,t.id),"aria-describedby":`card-help`,draggable:!1,children:[Y(`span`,{class:`card-top`,children:[Y(`span`,{class:`card-name`,children:t.name}),t.parent&&Y(`span`,{class:`card-parent`,children:t.parent.title}),Y(`span`,{class:`people`,children:t.assignees.map(e=>Y(pr,{person:e},e.id))})]}),Y(`span`,{class:`card-title`,children:t.title}),Y(`span`,{class:`card-meta`,children:[Y(`span`,{class:`priority-chip`,title:`${_r(t.priority)} priority`,children:[Y(sr,{priority:t.priority}),Y(lr,{children:[_r(t.priority),` priority`]})]}),t.labels.map(e=>Y(mr,{label:e},e.id)),r>0&&Y(`span`,{class:`chip ${n===r?`is-done`:``}`,children:[Y(cr,{done:n,total:r}),n,`/`,r,Y(lr,{children:` subtasks done`})]}),t.dueOn&&Y(`span`,{class:`chip ${t.overdue?`is-late`:``}`,children:[Y(X,{name:`calendar`,size:13}),hi(t.dueOn),t.overdue&&Y(lr,{children:` overdue`})]}),t.messageCount>0&&Y(`span`,{class:`chip`,children:[Y(X,{name:`comment`,size:13}),t.messageCount,Y(lr,{children:` messages`})]})]}),(o||i)&&Y(gr,{state:i?`WAITING_INPUT`:t.agentState,activity:t.agentActivity}),a?.todosTotal?Y(`span`,{class:`bar`,"aria-hidden":`true`,children:Y(`span`,{style:{inlineSize:`${100*(a.todosDone??0)/a.todosTotal}%`}})}):null]})}var hi=e=>new Date(`${e}T00:00`).toLocaleDateString(void 0,{month:`short`,day:`numeric`}),gi=e=>e instanceof Element?e.closest(`[data-card]`):null,_i=e=>e?.querySelector(`a`)?.focus();function vi(e,t){let n=gi(t.target);if(!n||t.ctrlKey||t.metaKey||t.altKey)return;let r=n.dataset.card,i=t=>!Pr.peek()||Rr(e.cards.get(t).peek());if(Q.peek()?.by===`keyboard`){if(t.key===`Escape`||t.key===`Tab`)Jr();else if(t.key===` `||t.key===`Enter`)Yr(e).then(()=>yi(r));else if(t.key.startsWith(`Arrow`))ei(e,t.key,i);else return;t.preventDefault(),t.stopPropagation()}else{if(t.key===` `&&e.mayWrite.peek())Gr(e,r,`keyboard`),Wr.value=`${Q.peek()?.name} is lifted.`;else if(t.key===`ArrowDown`||t.key===`j`)_i(bi(n,1));else if(t.key===`ArrowUp`||t.key===`k`)_i(bi(n,-1));else if(t.key===`ArrowLeft`||t.key===`ArrowRight`)_i(xi(n,t.key===`ArrowRight`!=(document.dir===`rtl`)));else return;t.preventDefault()}}var yi=e=>{requestAnimationFrame(()=>_i(document.querySelector(`[data-card="${e}"]`)))};function bi(e,t){let n=[...e.parentElement.querySelectorAll(`[data-card]`)];return n[n.indexOf(e)+t]??null}function xi(e,t){let n=[...document.querySelectorAll(`[data-column]`)],r=e.getBoundingClientRect().top,i=n.indexOf(e.closest(`[data-column]`));for(;n[i+=t?1:-1];){let e=[...n[i].querySelectorAll(`[data-card]`)];if(e.length)return e.find(e=>e.getBoundingClientRect().bottom>r)??e.at(-1)}return null}function Si({why:e}){let t=lt(e),n=lt(!1);return Y(`main`,{class:`signin`,children:Y(`form`,{onSubmit:async e=>{e.preventDefault();let r=new FormData(e.currentTarget);n.value=!0,t.value=await Ft(r.get(`username`),r.get(`password`)),n.value=!1},children:[Y(`img`,{src:new URL(new URL(`signal-Du6hEsRn.svg`,import.meta.url).href,``+import.meta.url).href,alt:``,width:`40`,height:`40`}),Y(`h1`,{children:`Signalbox`}),Y(`p`,{children:[`Open the link that the server printed. `,Y(`code`,{children:`python server.py link`}),` prints a new one (`,Y(`code`,{children:`link --demo`}),` for the demo).`]}),t.value&&Y(`p`,{class:`refused`,role:`alert`,children:t}),Y(`label`,{children:[`Username`,Y(`input`,{name:`username`,autoComplete:`username`,required:!0})]}),Y(`label`,{children:[`Password`,Y(`input`,{name:`password`,type:`password`,autoComplete:`current-password`,required:!0})]}),Y(`button`,{class:`primary`,disabled:n.value,children:`Sign in`}),Y(`a`,{href:`graphql`,children:`GraphiQL`})]})})}var $=B(null),Ci=B(!1);U(()=>{let e=jt.value?Xn.value:null,t=$.peek();t?.id!==e&&(t?.close(),$.value=e?new Bn(e):null)}),U(()=>{jt.value?Gn():Vn.value=null}),U(()=>{let[e]=Wn.value;e&&Yn.value===``&&er(`boards`,e.id)});function wi({why:e}){return jt.value?Y(`div`,{class:`frame ${Ci.value?`has-menu`:``}`,children:[Y(`a`,{class:`skip`,href:`#main`,onClick:e=>(e.preventDefault(),document.getElementById(`main`)?.focus()),children:`To the board`}),Y(Ti,{}),Y(`main`,{id:`main`,tabIndex:-1,children:[Y(ki,{}),Y(ji,{}),Yn.value===`boards`&&$.value&&Y(si,{board:$.value},$.value.id)]}),Y(Mi,{})]}):Y(Si,{why:e})}function Ti(){return Y(`nav`,{class:`side`,"aria-label":`Boards`,onClick:()=>Ci.value=!1,children:[Y(`div`,{class:`brand`,children:[Y(`img`,{src:new URL(new URL(`signal-Du6hEsRn.svg`,import.meta.url).href,``+import.meta.url).href,alt:``,width:`22`,height:`22`}),`Signalbox`]}),Un.value.map(e=>Y(`section`,{children:[Y(`h2`,{children:e.name}),Y(`ul`,{children:e.boards.nodes.map(e=>Y(`li`,{children:Y(`a`,{href:Qn(`boards`,e.id),"aria-current":Xn.value===e.id?`page`:void 0,children:[Y(`span`,{class:`key`,children:e.key}),Y(`span`,{class:`grow`,children:e.name})]})},e.id))})]},e.id)),Hn.value&&Y(`p`,{class:`notice`,children:Hn.value}),Y(`div`,{class:`foot`,children:[Y(`a`,{href:`graphql`,children:[Y(X,{name:`code`}),`GraphiQL`]}),Y(Di,{}),Y(Oi,{})]})]})}var Ei={system:`light`,light:`dark`,dark:`system`},Di=()=>Y(`button`,{class:`quiet row`,onClick:()=>qn.value=Ei[qn.value],children:[Y(X,{name:qn.value===`light`?`sun`:qn.value===`dark`?`moon`:`half`}),qn.value===`system`?`System theme`:qn.value===`light`?`Light theme`:`Dark theme`]});function Oi(){let e=Vn.value?.viewer.user;return Y(`div`,{class:`me`,children:[e&&Y(pr,{person:e}),Y(`span`,{class:`grow`,children:e?ur(e):jt.value}),Y(`button`,{class:`quiet`,onClick:()=>void It().then(()=>$n()),children:`Sign out`})]})}function ki(){let e=$.value?.facts.value;return Y(`header`,{class:`top`,children:[Y(`button`,{class:`quiet menu-button`,"aria-label":`Boards`,"aria-expanded":Ci.value,onClick:()=>Ci.value=!Ci.value,children:Y(X,{name:`menu`})}),Y(`div`,{class:`title`,children:[Y(`h1`,{children:e?.name??`Signalbox`}),e?.description&&Y(`p`,{children:e.description})]}),Y(Ai,{})]})}function Ai(){let e=tn.value;return Y(`span`,{class:`live live-${e}`,title:$.value?`Event ${$.value.seq.value}`:void 0,children:[Y(`span`,{class:`agent-dot`,"aria-hidden":`true`}),e===`open`?`Live`:e===`lost`?`Offline`:`Connecting`]})}function ji(){return ut(()=>tn.value===`lost`).value?Y(`p`,{class:`banner`,role:`status`,children:`The connection to the server is lost. The board goes on from where it was as soon as the server answers.`}):null}var Mi=()=>Y(`div`,{class:`toasts`,role:`region`,"aria-label":`Messages`,"aria-live":`polite`,children:Nn.value.map(({id:e,title:t,details:n,kind:r})=>Y(`div`,{class:`toast toast-${r}`,children:[Y(`strong`,{children:t}),n.map(e=>Y(`p`,{children:e},e)),Y(`button`,{class:`quiet`,"aria-label":`Dismiss`,onClick:()=>In(e),children:Y(X,{name:`close`,size:14})})]},e))});ue(Y(wi,{why:await Pt()}),document.getElementById(`page`));