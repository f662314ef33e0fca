(function(){let e=document.createElement(`link`).relList;if(e&&e.supports&&e.supports(`modulepreload`))return;for(let e of document.querySelectorAll(`link[rel="modulepreload"]`))n(e);new MutationObserver(e=>{for(let t of e)if(t.type===`childList`)for(let e of t.addedNodes)e.tagName===`LINK`&&e.rel===`modulepreload`&&n(e)}).observe(document,{childList:!0,subtree:!0});function t(e){let t={};return e.integrity&&(t.integrity=e.integrity),e.referrerPolicy&&(t.referrerPolicy=e.referrerPolicy),t.credentials=e.crossOrigin===`use-credentials`?`include`:e.crossOrigin===`anonymous`?`omit`:`same-origin`,t}function n(e){if(e.ep)return;e.ep=!0;let n=t(e);fetch(e.href,n)}})();var e,t,n,r,i,a,o,s,c,l,u,d=Symbol.for(`pv`),f={},p=[],m=/^m(i|n|o|s|text|space)$/,h=Array.isArray,g=p.slice,_=Object.assign;function v(e){e&&e.parentNode&&e.remove()}function y(e,t,n){var r,i,a,o={},s=arguments.length;for(a in t)a==`key`?r=t[a]:a==`ref`&&typeof e!=`function`?i=t[a]:o[a]=t[a];return s>2&&(o.children=s>3?g.call(arguments,2):n),b(e,o,r,i,null)}function b(n,r,i,a,o){var s={type:n,props:r,key:i,ref:a,__k:null,__:null,__b:0,__e:null,__c:null,constructor:d,__v:o||++t,__i:-1,__u:0};return!o&&e.vnode&&e.vnode(s),s}function x(e){return e.children}function S(e,t){this.props=e,this.context=t,this.__g=0}function C(e,t){if(t==null)return e.__&&C(e.__,e.__i+1);for(var n;t<e.__k.length;t++)if((n=e.__k[t])&&n.__e)return n.__e;return typeof e.type!=`function`||e.props.__P?null:C(e)}function w(t){var n,r=t.__v,i=r.__e,a=[],o=[],s=t.__P;s&&((n=_({constructor:d},r)).__v=r.__v+1,e.vnode&&e.vnode(n),k(s,n,r,t.__n,s.namespaceURI,32&r.__u?[i]:null,a,i||C(r),32&r.__u,o),n.__v=r.__v,n.__.__k[n.__i]=n,le(a,n,o),r.__=r.__e=null,n.__e!=i&&T(n))}function T(e){if((e=e.__)&&e.__c&&!e.props.__P)return e.__e=null,e.__k.some(function(t){return t&&(e.__e=t.__e)}),T(e)}function E(t){(8&t.__g||(t.__g|=8,r.push(t),a++))&&i==e.debounceRendering||((i=e.debounceRendering)||queueMicrotask)(D)}function D(){try{for(var e,t=1;r.length;)r.length>t&&r.sort(o),e=r.shift(),t=r.length,8&e.__g&&w(e)}finally{(a=r.length)&&(i||queueMicrotask)(D)}}function ee(e,t,n,r,i,a,o,s,c,l,u){var d,m,h,g,_,v,y=r.__k||p,b=t.length;for(c=te(n,t,y,c,b),d=0;d<b;d++)(h=n.__k[d])!=null&&(m=~h.__i&&y[h.__i]||f,h.__i=d,v=k(e,h,m,i,a,o,s,c,l,u),g=h.__e,(m.ref!=h.ref||8&m.__u)&&(m.ref&&A(m.ref,null,h,m),h.ref&&u.push(h.ref,h.__c||g,h)),_||=g,4&h.__u?(c=ne(h,c,e,!m.__v),m.__e&&(m.__e=null)):typeof h.type==`function`&&v!==void 0?c=v:g&&(c=g.nextSibling),h.__u&=-21);return n.__e=_,c}function te(e,t,n,r,i){var a,o,s,c,l,u,f,p,m,g=n.length,_=g,v=0,y=0,S=e.__k=Array(i);for(a=0;a<i;a++)(o=t[a])!=null&&typeof o!=`boolean`&&typeof o!=`function`?(typeof o!=`object`||o.constructor===String?o=S[a]=b(null,o):h(o)?o=S[a]=b(x,{children:o}):o.constructor===d&&o.__b?o=S[a]=b(o.type,o.props,o.key,o.ref,o.__v):S[a]=o,c=a+v,o.__=e,o.__b=e.__b+1,s=null,~(l=o.__i=ie(o,n,c,_))&&(_--,(s=n[l])&&(s.__u|=2)),s&&s.__v?(o.__u|=16,l==c-1?v--:l==c+1?v++:l!=c&&(l>c?v--:v++,y=1)):(~l||(i>g?v--:i<g&&v++),typeof o.type!=`function`&&(o.__u|=4))):S[a]=null;if(y){for(u=[],f=[],a=0;a<i;a++)if((o=S[a])&&16&o.__u){for(v=0,p=u.length;v<p;)u[m=v+p>>1]<o.__i?v=m+1:p=m;u[v]=o.__i,f[a]=v+1}for(v=u.length;a--;)f[a]&&(f[a]==v?v--:S[a].__u|=4)}if(_)for(a=0;a<g;a++)!(s=n[a])||2&s.__u||(s.__e==r&&(r=C(s)),de(s,s));return r}function ne(e,t,n,r){var i,a,o,s;if(typeof e.type==`function`){if(e.props.__P)return t;if(i=e.__k)for(a=0;a<i.length;a++)i[a]&&(i[a].__=e,t=ne(i[a],t,n,!1));return t}for(t&&!t.parentNode&&(t=C(e))&&!t.parentNode&&(t=null),o=e.__e,s=t;s&&s.nodeType==8;)s=s.nextSibling;for(o!=s&&(!r&&n.moveBefore&&o.parentNode?n.moveBefore(o,t):n.insertBefore(o,t||null)),t=o;(t&&=t.nextSibling)&&t.nodeType==8&&!t.data.startsWith(`$s`););return t}function re(e,t){return t||=[],e!=null&&typeof e!=`boolean`&&(h(e)?e.some(function(e){re(e,t)}):t.push(e)),t}function ie(e,t,n,r){var i,a=e.key,o=e.type,s=t[n],c=s&&!(2&s.__u);if(s===null&&a==null||c&&a==s.key&&o==s.type)return n;if(r>+!!c){for(i=n-1;i>=0;i--)if((s=t[i])&&!(2&s.__u)&&a==s.key&&o==s.type)return i;for(i=n+1;i<t.length;i++)if((s=t[i])&&!(2&s.__u)&&a==s.key&&o==s.type)return i}return-1}function ae(e,t,n){n??=``,t[0]==`-`?e.setProperty(t,n):e[t]=n}function O(e,t,n,r,i){var a,o;if(t==`style`){if(typeof n==`string`)e.style.cssText=n;else{if(typeof r==`string`&&(e.style.cssText=r=``),r)for(t in r)n&&t in n||ae(e.style,t);if(n)for(t in n)r&&n[t]==r[t]||ae(e.style,t,n[t])}}else if(t[0]==`o`&&t[1]==`n`)typeof n!=`function`&&(n=null),typeof r!=`function`&&(r=null),(e.__e||={})[t]=n,n&&r||(o=u[t]||(u[t]=oe(t)),(e.__a||={})[t]=l,a=t!=(t=t.replace(c,`$1`)),(t=t.slice(2))[0]<`a`&&(t=t.toLowerCase()),n?e.addEventListener(t,o,a):e.removeEventListener(t,o,a));else{if(i==`http://www.w3.org/2000/svg`)t=t.replace(/xlink(H|:h)/,`h`).replace(/sName$/,`s`);else if(t!=`width`&&t!=`height`&&t!=`href`&&t!=`list`&&t!=`form`&&t!=`tabIndex`&&t!=`download`&&t!=`rowSpan`&&t!=`colSpan`&&t!=`role`&&t!=`popover`&&t in e)try{e[t]=n??``;return}catch{}if(typeof n==`function`)return;n==null||!1===n&&t[4]!=`-`?e.removeAttribute(t):e.setAttribute(t,t==`popover`&&n==1?``:n)}}function oe(t){return function(n){var r=this.__e;if(r){if(r=r[t],n[s]==null)n[s]=l++;else if(n[s]<this.__a[t])return;return r(e.event?e.event(n):n)}}}function k(t,n,r,i,a,o,s,c,l,u){var f,m,g,y,b,w,T,E,D,te,ne,re,ie,ae,O,oe,k,le,A=n.type;if(n.constructor!==d)return null;128&r.__u&&(l=32&r.__u,f=r.__c.__z)&&(n.__u|=l,m=o=[],f.nodeType==8?c=se(f,o):o.push(f),c=o[0]||c),(f=e.__b)&&f(n);n:if(typeof A==`function`){g=s.length;try{if(E=n.props,D=(f=A.prototype)&&f.render,te=(f=A.contextType)&&i[f.__c],ne=f?te?te.props.value:f.__:i,(y=r.__c)?(n.__c=y,2&y.__g&&(y.__g|=1)):(D?n.__c=y=new A(E,ne):(n.__c=y=new S(E,ne),y.constructor=A,y.render=fe),te&&te.sub(y),y.state||(y.state={}),y.__n=i,y.__g|=8,y.__h=[],y.__k=[]),D&&(y.__s||(y.__s=y.state),A.getDerivedStateFromProps&&(y.__s==y.state&&(y.__s=_({},y.__s)),_(y.__s,A.getDerivedStateFromProps(E,y.__s)))),b=y.props,w=y.state,y.__v=n,r.__c){if(E!==b&&D&&!A.getDerivedStateFromProps&&y.componentWillReceiveProps&&y.componentWillReceiveProps(E,ne),n.__v==r.__v&&!(8&y.__g)||!(4&y.__g)&&y.shouldComponentUpdate&&!1===y.shouldComponentUpdate(E,y.__s,ne)){n.__v!=r.__v&&(y.props=E,y.state=y.__s,y.__g&=-9),n.__e=r.__e,n.__k=r.__k,n.__k.some(function(e){e&&(e.__=n)}),p.push.apply(y.__h,y.__k),y.__k=[],y.__h.length&&s.push(y),c=C(r);break n}y.componentWillUpdate&&y.componentWillUpdate(E,y.__s,ne),D&&y.componentDidUpdate&&y.__h.push(function(){y.componentDidUpdate(b,w,T)})}else D&&!A.getDerivedStateFromProps&&y.componentWillMount&&y.componentWillMount(),D&&y.componentDidMount&&y.__h.push(y.componentDidMount);y.context=ne,y.props=E,y.__P=t,y.__g&=-5,re=e.__r,ie=D?25:0;do y.__g&=-9,re&&re(n),f=y.render(y.props,y.state=y.__s,y.context);while(8&y.__g&&++ie<25);D&&(p.push.apply(y.__h,y.__k),y.__k=[]),y.state=y.__s,y.getChildContext&&(i=_({},i,y.getChildContext())),D&&r.__c&&y.getSnapshotBeforeUpdate&&(T=y.getSnapshotBeforeUpdate(b,w)),ae=f&&f.type===x&&f.key==null?f.props.children:f,E.__P&&(f=c,a=(t=E.__P).namespaceURI,l=o=null,r.props&&r.props.__P!=t&&(r.__k.some(function(e){e&&de(e,e)}),r.__k=null),c=r.__k?C(r,0):null),c=ee(t,h(ae)?ae:[ae],n,r,i,a,o,s,c,l,u),E.__P&&(n.__e=null,c=f),n.__u&=-161,m&&m.some(v),y.__h.length&&s.push(y),1&y.__g&&(y.__g&=-4)}catch(t){if(s.length=g,n.__v=null,l||o){if(t&&t.then){if(n.__u|=128|l,o){for(~(k=o.indexOf(c||void 0))||(k=o.length);(le=o[k-1])&&le.nodeType==8;)k--;for(;k<o.length;k++)if(le=o[k]){if(o[k]=null,O){if(le==oe)break}else{if(le.nodeType!=8)break;le.data.startsWith(`$s`)&&(oe=se(O=le))}}}if(!O){for(;c&&c.nodeType==8&&c.nextSibling;)c=c.nextSibling;O=c}(f=se(O=n.__c.__z||(n.__c.__z=O)))?(n.__e=O,c=f):n.__e=c,c&&=c.nextSibling}else o&&o.some(v)}else n.__e=r.__e;n.__k||=r.__k||[],t&&t.then||ce(n),e.__e(t,n,r)}}else c=n.__e=ue(r.__e,n,r,i,a,o,s,l,u,t);return(f=e.diffed)&&f(n),c}function se(e,t){if(e&&e.nodeType==8&&e.data.startsWith(`$s`))for(var n=1;e=e.nextSibling;){if(e.nodeType==8){if(e.data.startsWith(`$s`))n++;else if(e.data.startsWith(`/$s`)&&!--n)return e}t&&t.push(e)}}function ce(e){e&&(e.__c&&(e.__c.__g|=4),e.__k&&e.__k.some(ce))}function le(t,n,r){for(var i=0;i<r.length;)A(r[i++],r[i++],r[i++]);e.__c&&e.__c(n,t),t.some(function(n){try{t=n.__h,n.__h=[],t.some(function(e){e.call(n)})}catch(t){e.__e(t,n.__v)}})}function ue(t,n,r,i,a,o,s,c,l,u){var d,p,_,y,b,x,S,w,T=r.props||f,E=n.props,D=n.type;if(D==`svg`?a=`http://www.w3.org/2000/svg`:D==`math`?a=`http://www.w3.org/1998/Math/MathML`:a||=`http://www.w3.org/1999/xhtml`,o){for(d=0;d<o.length;d++)if((b=o[d])&&(D?b.localName==D:b.nodeType==3)){t=b,o[d]=null;break}}if(!t){if(w=u.ownerDocument||document,!D)return w.createTextNode(E);t=w.createElementNS(a,D,E.is?E:u),c&&=(e.__m&&e.__m(n,o),!1),o=null}if(D){if(u=D==`template`&&t.content||t,o=D==`textarea`&&E.defaultValue!=null?null:o&&g.call(u.childNodes),!c&&o)for(T={},d=0;d<t.attributes.length;d++)T[(b=t.attributes[d]).name]=b.value;for(d in T)b=T[d],d==`dangerouslySetInnerHTML`?_=b:d==`children`||d in E||d==`value`&&`defaultValue`in E||d==`checked`&&`defaultChecked`in E||O(t,d,null,b,a);for(d in E)b=E[d],d==`children`?y=b:d==`dangerouslySetInnerHTML`?p=b:d==`value`?x=b:d==`checked`?S=b:c&&typeof b!=`function`||T[d]===b||O(t,d,b,T[d],a);p?(c||_&&(p.__html==_.__html||p.__html==t.innerHTML)||(t.innerHTML=p.__html),n.__k=[]):(_&&(t.textContent=``),(D==`foreignObject`||a==`http://www.w3.org/1998/Math/MathML`&&m.test(D))&&(a=`http://www.w3.org/1999/xhtml`),ee(u,h(y)?y:[y],n,r,i,a,o,s,o?o[0]:r.__k&&C(r,0),c,l),o&&o.some(v)),c&&D!=`textarea`||(d=`value`,D==`progress`&&x==null?t.removeAttribute(d):x==null||x===t[d]&&(D!=`progress`||x)||O(t,d,x,T[d],a),d=`checked`,S!=null&&S!=t[d]&&O(t,d,S,T[d],a))}else T===E||c&&t.data==E||(t.data=E);return t}function A(t,n,r,i){try{typeof t==`function`?n?n.__x=t(n)||1:(i&&=i.__c||i.__e)&&(n=i.__x)&&(i.__x=null,typeof n==`function`?n():t(null)):t.current=n}catch(t){e.__e(t,r)}}function de(t,n,r){var i,a,o,s;if(e.unmount&&e.unmount(t),!(i=t.ref)||i.current&&i.current!=t.__e||A(i,null,n,t),i=t.__c){if(i.componentWillUnmount)try{i.componentWillUnmount()}catch(t){e.__e(t,n)}i.__P=i.__n=null}if(i=t.__k)for(s=0;s<i.length;s++)i[s]&&de(i[s],n,typeof t.type!=`function`||r&&!t.props.__P);!r&&(i=t.__c)&&(i=i.__z)&&(a=se(i,o=[]))&&(i==t.__e&&o.some(v),v(a),v(i)),r||v(t.__e),t.__e=t.__c=t.__=null}function fe(e,t,n){return this.constructor(e,n)}function pe(t,n){var r,i,a,o;e.__&&e.__(t,n),n.nodeType==9&&(n=n.documentElement),i=(r=t&&32&t.__u)?null:n.__k,n.__k=b(x,{children:[t]}),a=[],o=[],k(n,n.__k,i||f,f,n.namespaceURI,i?null:n.firstChild?g.call(n.childNodes):null,a,i?i.__e:n.firstChild,r,o),le(a,n.__k,o),n.__k.props.children=null}e={__e:function(e,t,n,r){for(var i,o,s;t=t.__;)if((i=t.__c)&&!(1&i.__g)){i.__g|=4;try{if((s=(o=i.constructor)&&o.getDerivedStateFromError)&&i.setState(o.getDerivedStateFromError(e)),i.componentDidCatch&&(i.componentDidCatch(e,r||{}),s=1),s&&8&i.__g)return void(i.__g|=2)}catch(t){e=t}}throw a=0,e}},t=0,n=function(e){return e!=null&&e.constructor===d},S.prototype.setState=function(e,t){var n=this.__s;n&&n!=this.state||(n=this.__s=_({},this.state)),typeof e==`function`&&(e=e(_({},n),this.props)),e&&(_(n,e),this.__v&&(t&&this.__k.push(t),E(this)))},S.prototype.forceUpdate=function(e){this.__v&&(this.__g|=4,e&&this.__h.push(e),E(this))},S.prototype.render=x,r=[],a=0,o=function(e,t){return e.__v.__b-t.__v.__b},s=Symbol(),c=/(PointerCapture)$|Capture$/i,l=0,u={};var me,j,he,ge,_e=Object.is,ve=0,ye=[],be=[],M=e,xe=M.__b,Se=M.__r,Ce=M.diffed,we=M.__c,Te=M.unmount,Ee=M.__;function De(e,t){M.__h&&M.__h(j,e,ve||t),ve=0;var n=j.__H||(j.__H={__:[],__h:[]});return e>=n.__.length&&n.__.push({}),n.__[e]}function Oe(e,t,n){var r=De(me++,2);if(r.t=e,!r.__c&&(r.__=[n?n(t):Be(void 0,t),function(e){var t=(r.__N||r.__)[0],n=r.t(t,e);_e(t,n)||(r.__N=[n,r.__[1]],r.__c.setState({}))}],r.__c=j,!j.__f)){j.__f=!0;var i=j.shouldComponentUpdate;j.shouldComponentUpdate=function(e,t,n){var r=this.__H;if(!r)return!0;var a=!1,o=this.props!=e;if(r.__.some(function(e){e.__N&&(a=!0,_e(e.__[0],e.__N[0])||(o=!0))}),i){var s=i.call(this,e,t,n);return a?s||o:s}return!a||o}}return r.__}function ke(e,t){var n=De(me++,3);!M.__s&&ze(n.__H,t)&&(n.__P=!0,n.__=e,n.u=t,j.__H.__h.push(n))}function Ae(e,t){var n=De(me++,4);!M.__s&&ze(n.__H,t)&&(n.__P=!1,n.__=e,n.u=t,j.__h.push(n))}function N(e){return ve=5,je(function(){return{current:e}},[])}function je(e,t){var n=De(me++,7);return ze(n.__H,t)&&(n.__=e(),n.__H=t),n.__}function Me(){var e=De(me++,11);if(!e.__){for(var t=j.__v;!t.__m&&t.__;)t=t.__;var n=t.__m||(t.__m=[0,0]);e.__=`P`+n[0]+`-`+n[1]++}return e.__}function Ne(){var e;do{for(;e=be.shift();)try{Le(e)}catch(t){M.__e(t,{__:(e=e.__P)&&e.__v})}for(;e=ye.shift();){var t=e.__H;if(e.__P&&t)try{t.__h.some(Le),t.__h.some(Re),t.__h=[]}catch(n){t.__h=[],M.__e(n,e.__v)}}}while(be.length)}M.__b=function(e){j=null,xe&&xe(e)},M.__=function(e,t){e&&t.__k&&t.__k.__m&&(e.__m=t.__k.__m),Ee&&Ee(e,t)},M.__r=function(e){Se&&Se(e),me=0;var t=(j=e.__c).__H;t&&(he==j?j.__h=[]:(t.__h.some(Le),t.__h.some(Re),me=0),t.__h=[],t.__.some(function(e){e.__N&&(e.__=e.__N),e.u=e.__N=void 0})),he=j},M.diffed=function(e){Ce&&Ce(e);var t=e.__c;t&&t.__H&&(t.__H.__h.length&&Ie(ye.push(t)),t.__H.__.some(function(e){e.u&&(e.__H=e.u)})),he=j=null},M.__c=function(e,t){t.some(function(e){try{e.__h.some(Le),e.__h=e.__h.filter(function(e){return!e.__||Re(e)})}catch(t){e.__h=[function(){throw t}]}}),we&&we(e,t)},M.unmount=function(e){Te&&Te(e);var t,n,r=e.__c;r&&r.__H&&(r.__H.__.some(function(r){try{if(r.__P&&r.__c){if(n===void 0){for(n=e.__;n&&(!n.__c||!n.__c.__P);)n=n.__;n&&=n.__c}r.__P=n,Ie(be.push(r))}else Le(r)}catch(e){t=e}}),r.__H=void 0,t&&M.__e(t,r.__v))};var Pe=typeof requestAnimationFrame==`function`;function Fe(e){var t,n=function(){clearTimeout(r),Pe&&cancelAnimationFrame(t),setTimeout(e)},r=setTimeout(n,35);Pe&&(t=requestAnimationFrame(n))}function Ie(e){e!=1&&ge==M.requestAnimationFrame||((ge=M.requestAnimationFrame)||Fe)(Ne)}function Le(e){var t=j,n=e.__c;typeof n==`function`&&(e.__c=void 0,n()),j=t}function Re(e){var t=j;e.__c=e.__(),j=t}function ze(e,t){return!e||e.length!=t.length||t.some(function(t,n){return!_e(t,e[n])})}function Be(e,t){return typeof t==`function`?t(e):t}var Ve=Symbol.for(`preact-signals`);function He(){if(Ke>1)Ke--;else{var e,t=!1;for((function(){var e=Xe;for(Xe=void 0;e!==void 0;){var t=e.S;if(t.v===e.v)for(var n=t.t;n!==void 0;n=n.x)n.i===e.i&&(n.i=t.i);e=e.o}})();Ge!==void 0;){var n=Ge;for(Ge=void 0,qe++;n!==void 0;){var r=n.u;if(n.u=void 0,n.f&=-3,!(8&n.f)&&$e(n))try{n.c()}catch(n){t||=(e=n,!0)}n=r}}if(qe=0,Ke--,t)throw e}}function P(e){if(Ke>0)return e();Ye=++Je,Ke++;try{return e()}finally{He()}}var Ue,F=void 0;function We(e){var t=F,n=Ue;F=void 0,Ue=void 0;try{return e()}finally{F=t,Ue=n}}var Ge=void 0,Ke=0,qe=0,Je=0,Ye=0,Xe=void 0,Ze=0;function Qe(e){if(F!==void 0){var t=e.n;if(t===void 0||t.t!==F)return t={i:0,S:e,p:F.s,n:void 0,t:F,e:void 0,x:void 0,r:t},F.s!==void 0&&(F.s.n=t),F.s=t,e.n=t,32&F.f&&e.S(t),t;if(t.i===-1)return t.i=0,t.n!==void 0&&(t.n.p=t.p,t.p!==void 0&&(t.p.n=t.n),t.p=F.s,t.n=void 0,F.s.n=t,F.s=t),t}}function I(e,t){this.v=e,this.i=0,this.n=void 0,this.t=void 0,this.l=0,this.W=t?.watched,this.Z=t?.unwatched,this.name=t?.name}I.prototype.brand=Ve,I.prototype.h=function(){return!0},I.prototype.S=function(e){var t=this,n=this.t;n!==e&&e.e===void 0&&(e.x=n,this.t=e,n===void 0?We(function(){var e;(e=t.W)==null||e.call(t)}):n.e=e)},I.prototype.U=function(e){var t=this;if(this.t!==void 0){var n=e.e,r=e.x;n!==void 0&&(n.x=r,e.e=void 0),r!==void 0&&(r.e=n,e.x=void 0),e===this.t&&(this.t=r,r===void 0&&We(function(){var e;(e=t.Z)==null||e.call(t)}))}},I.prototype.subscribe=function(e){var t=this;return z(function(){var n=t.value;We(function(){return e(n)})},{name:`sub`})},I.prototype.valueOf=function(){return this.value},I.prototype.toString=function(){return this.value+``},I.prototype.toJSON=function(){return this.value},I.prototype.peek=function(){var e=this;return We(function(){return e.value})},Object.defineProperty(I.prototype,"value",{get:function(){var e=Qe(this);return e!==void 0&&(e.i=this.i),this.v},set:function(e){if(e!==this.v){if(qe>100)throw Error(`Cycle detected`);(function(e){Ke!==0&&qe===0&&e.l!==Ye&&(e.l=Ye,Xe={S:e,v:e.v,i:e.i,o:Xe})})(this),this.v=e,this.i++,Ze++,Ke++;try{for(var t=this.t;t!==void 0;t=t.x)t.t.N()}finally{He()}}}});function L(e,t){return new I(e,t)}function $e(e){for(var t=e.s;t!==void 0;t=t.n)if(t.S.i!==t.i||!t.S.h()||t.S.i!==t.i)return!0;return!1}function et(e){for(var t=e.s;t!==void 0;t=t.n){var n=t.S.n;if(n!==void 0&&(t.r=n),t.S.n=t,t.i=-1,t.n===void 0){e.s=t;break}}}function tt(e){for(var t=e.s,n=void 0;t!==void 0;){var r=t.p;t.i===-1?(t.S.U(t),r!==void 0&&(r.n=t.n),t.n!==void 0&&(t.n.p=r)):n=t,t.S.n=t.r,t.r!==void 0&&(t.r=void 0),t=r}e.s=n}function nt(e,t){I.call(this,void 0,t),this.x=e,this.s=void 0,this.g=Ze-1,this.f=4}nt.prototype=new I,nt.prototype.h=function(){if(this.f&=-3,1&this.f)return!1;if((36&this.f)==32||(this.f&=-5,this.g===Ze))return!0;if(this.g=Ze,this.f|=1,this.i>0&&!$e(this))return this.f&=-2,!0;var e=F;try{et(this),F=this;var t=this.x();(16&this.f||this.v!==t||this.i===0)&&(this.v=t,this.f&=-17,this.i++)}catch(e){this.v=e,this.f|=16,this.i++}return F=e,tt(this),this.f&=-2,!0},nt.prototype.S=function(e){if(this.t===void 0){this.f|=36;for(var t=this.s;t!==void 0;t=t.n)t.S.S(t)}I.prototype.S.call(this,e)},nt.prototype.U=function(e){if(this.t!==void 0&&(I.prototype.U.call(this,e),this.t===void 0)){this.f&=-33;for(var t=this.s;t!==void 0;t=t.n)t.S.U(t)}},nt.prototype.N=function(){if(!(2&this.f)){this.f|=6;for(var e=this.t;e!==void 0;e=e.x)e.t.N()}},Object.defineProperty(nt.prototype,"value",{get:function(){if(1&this.f)throw Error(`Cycle detected`);var e=Qe(this);if(this.h(),e!==void 0&&(e.i=this.i),16&this.f)throw this.v;return this.v}});function R(e,t){return new nt(e,t)}function rt(e){var t=e.j;if(e.j=void 0,typeof t==`function`){Ke++;var n=F;F=void 0;try{t()}catch(t){throw e.f&=-2,e.f|=8,it(e),t}finally{F=n,He()}}}function it(e){for(var t=e.s;t!==void 0;t=t.n)t.S.U(t);e.x=void 0,e.s=void 0,rt(e)}function at(e){if(F!==this)throw Error(`Out-of-order effect`);tt(this),F=e,this.f&=-2;try{8&this.f&&it(this)}finally{He()}}function ot(e,t){this.x=e,this.j=void 0,this.s=void 0,this.u=void 0,this.f=32,this.name=t?.name,Ue&&Ue.push(this)}ot.prototype.c=function(){var e=this.S();try{if(8&this.f||this.x===void 0)return;var t=this.x();typeof t==`function`&&(this.j=t)}finally{e()}},ot.prototype.S=function(){if(1&this.f)throw Error(`Cycle detected`);this.f|=1,this.f&=-9,rt(this),et(this),Ke++;var e=F;return F=this,at.bind(this,e)},ot.prototype.N=function(){2&this.f||(this.f|=2,this.u=Ge,Ge=this)},ot.prototype.d=function(){this.f|=8,1&this.f||it(this)},ot.prototype.dispose=function(){this.d()};function z(e,t){var n=new ot(e,t);try{n.c()}catch(e){throw n.d(),e}var r=n.d.bind(n);return r[Symbol.dispose]=r,r}var st,ct,lt,ut=typeof window<`u`&&!!window.__PREACT_SIGNALS_DEVTOOLS__,dt=[];z(function(){st=this.N})();function ft(t,n){e[t]=n.bind(null,e[t]||function(){})}function pt(e){if(lt){var t=lt;lt=void 0,t()}lt=e&&e.S()}function mt(e){var t=this,r=e.data,i=B(r);i.name=`ReactiveDom`,i.value=r;var a=je(function(){for(var e=t,r=t.__v;r=r.__;)if(r.__c){r.__c.__$f|=4;break}var a=R(function(){var e=i.value.value;return e===0?0:!0===e?``:e||``}),o=R(function(){return!Array.isArray(a.value)&&!n(a.value)}),s=z(function(){if(this.N=yt,o.value){var t=a.value;e.__v&&e.__v.__e&&e.__v.__e.nodeType===3&&(e.__v.__e.data=t)}}),c=t.__$u.d;return t.__$u.d=function(){s(),c.call(this)},[o,a]},[]),o=a[0],s=a[1];return o.value?s.peek():s.value}mt.displayName=`ReactiveTextNode`,Object.defineProperties(I.prototype,{constructor:{configurable:!0,value:y(x,null).constructor},type:{configurable:!0,value:mt},props:{configurable:!0,get:function(){var e=this;return{data:{get value(){return e.value}}}}},__b:{configurable:!0,value:1}}),ft(`__b`,function(e,t){if(pt(),ct=void 0,typeof t.type==`string`){var n,r=t.props;for(var i in r)if(i!==`children`){var a=r[i];a instanceof I&&(n||(t.__np=n={}),n[i]=a,r[i]=a.peek())}}e(t)}),ft(`__r`,function(e,t){if(e(t),t.type!==x){pt();var n,r=t.__c;r&&(r.__$f&=-2,(n=r.__$u)===void 0&&(r.__$u=n=function(e,t){var n;return z(function(){n=this},{name:t}),n.c=e,n}(function(e){return function(){var t;ut&&((t=this.y)==null||t.call(this)),e.__$f|=1,e.setState({})}}(r),typeof t.type==`function`?t.type.displayName||t.type.name:``))),ct=r,pt(n)}}),ft(`__e`,function(e,t,n,r){pt(),ct=void 0,e(t,n,r)}),ft(`diffed`,function(e,t){pt(),ct=void 0;var n;if(typeof t.type==`string`&&(n=t.__e)){var r=t.__np,i=t.props,a=n.U;if(a)for(var o in a){var s=a[o];s===void 0||r&&o in r||(s.d(),a[o]=void 0)}if(r)for(var c in a||(a={},n.U=a),r){var l=a[c],u=r[c];l===void 0?(l=ht(n,c,u,i),a[c]=l):l.o(u,i)}}e(t)});function ht(e,t,n,r){var i=t in e&&e.ownerSVGElement===void 0,a=L(n);return{o:function(e,t){a.value=e,r=t},d:z(function(){this.N=yt;var n=a.value.value;r[t]!==n&&(r[t]=n,i?e[t]=n:n!=null&&(!1!==n||t[4]===`-`)?e.setAttribute(t,n):e.removeAttribute(t))})}}ft(`unmount`,function(e,t){if(typeof t.type==`string`){var n=t.__e;if(n){var r=n.U;if(r)for(var i in n.U=void 0,r){var a=r[i];a&&a.d()}}var o=t.__np;if(o){var s=t.props;for(var c in o)s[c]=o[c]}t.__np=void 0}else{var l=t.__c;if(l){l.__$f|=8;var u=l.__$u;u&&(l.__$u=void 0,u.d())}}e(t)}),ft(`__h`,function(e,t,n,r){r<3&&(t.__$f|=2),e(t,n,r)}),S.prototype.shouldComponentUpdate=function(e,t){if(this.__R)return!0;var n=this.__$u,r=n&&n.s!==void 0;for(var i in t)return!0;if(this.__f||typeof this.u==`boolean`&&!0===this.u){var a=2&this.__$f;if(!(r||a||4&this.__$f)||1&this.__$f)return!0}else if(!(r||4&this.__$f)||3&this.__$f)return!0;for(var o in e)if(o!==`__source`&&e[o]!==this.props[o])return!0;for(var s in this.props)if(!(s in e))return!0;return!1};function B(e,t){return je(function(){return L(e,t)},[])}function gt(e,t){var n=N(e);return n.current=e,ct.__$f|=4,je(function(){return R(function(){return n.current()},t)},[])}var _t=function(e){queueMicrotask(function(){queueMicrotask(e)})};function vt(){P(function(){for(var e;e=dt.shift();)st.call(e)})}function yt(){dt.push(this)===1&&(e.requestAnimationFrame||_t)(vt)}var V=class extends String{__apiType;value;__meta__;constructor(e,t){super(e),this.value=e,this.__meta__=t}toString(){return this.value}};new V(`
    fragment Person on User {
  id
  username
  nickname
  firstName
  lastName
}
    `,{fragmentName:`Person`}),new V(`
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
}`,{fragmentName:`CardOnBoard`}),new V(`
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
}`,{fragmentName:`ChangedCard`}),new V(`
    fragment ColumnOnBoard on Column {
  id
  name
  stage
  rank
  wipLimit
}
    `,{fragmentName:`ColumnOnBoard`}),new V(`
    fragment RunInList on Run {
  id
  kind
  status
  attempt
  outcome
  summary
  failureReason
  waitReason
  createdAt
  startedAt
  finishedAt
  chosenAt
  stopRequestedAt
  executor
  branch
  instruction
  profile {
    id
    name
  }
  createdBy {
    ...Person
  }
  files {
    path
  }
  whyNotRunning {
    message
  }
}
    fragment Person on User {
  id
  username
  nickname
  firstName
  lastName
}`,{fragmentName:`RunInList`}),new V(`
    fragment QuestionAsked on Question {
  id
  header
  text
  type
  allowOther
  status
  options {
    label
    description
    recommended
  }
  defaultAnswer
  expiresAt
  createdAt
  version
  boardId
  cardId
  runId
  askedBy {
    name
  }
  card {
    name
    title
  }
}
    `,{fragmentName:`QuestionAsked`}),new V(`
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}
    `,{fragmentName:`Refused`}),new V(`
    fragment Queue on QueueState {
  workers {
    status
    count
  }
  boards {
    boardId
    queued
    active
    waiting
    delayed
    dead
    board {
      key
      name
      cardCounts {
        stage
        count
      }
    }
  }
}
    `,{fragmentName:`Queue`}),new V(`
    fragment LogItem on RunFeedItem {
  __typename
  seq
  cursor
  at
  ... on RunLine {
    type
    level
    agent
    text
    attempt
  }
  ... on RunOutput {
    item
    part
    stream
    tool
  }
  ... on RunThinking {
    item
    part
  }
  ... on RunToolStarted {
    tool
    name
    kind
    input
  }
  ... on RunToolFinished {
    tool
    result
    exitCode
  }
  ... on RunTodo {
    items {
      key
      state
      text
    }
  }
  ... on RunUsage {
    inputTokens
    outputTokens
    cachedTokens
    costUsd
    contextUsed
    contextWindow
    model
  }
  ... on RunFileChanged {
    path
    change
    additions
    deletions
  }
  ... on RunCommitLine {
    sha
    what
    url
  }
  ... on RunAttempt {
    number
    phase
  }
  ... on RunSubagent {
    phase
    name
    tool
  }
  ... on RunQuestion {
    decision
  }
  ... on RunApproval {
    decision
    tool
  }
  ... on RunChunk {
    item
    part
    offset
    stream
    agent
    type
    chunk: text
    tool
  }
  ... on RunEnded {
    status
    summary
    reason
  }
}
    `,{fragmentName:`LogItem`}),new V(`
    fragment Granted on Session {
  accessToken
  expiresAt
  refreshToken
  user {
    username
  }
}
    `,{fragmentName:`Granted`});var bt=new V(`
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
}`),xt=new V(`
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
}`),St=new V(`
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
}`),Ct=new V(`
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
    `),wt=new V(`
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
}`),Tt=new V(`
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
}`),Et=new V(`
    query FindCards($text: String!) {
  cards(first: 12, filter: {text: $text}, orderBy: UPDATED) {
    nodes {
      id
      name
      title
      stage
      boardId
    }
  }
}
    `),Dt=new V(`
    query Card($id: ID!) {
  card(id: $id) {
    ...CardOnBoard
    description
    createdAt
    updatedAt
    agentProfileId
    chosenRun {
      id
    }
    createdBy {
      name
    }
    subtasks {
      id
      title
      completed
      phase
      rank
    }
    children {
      id
      name
      title
      stage
    }
    blockedBy {
      id
      name
      title
      stage
    }
    blocks {
      id
      name
      title
      stage
    }
    runs(first: 20) {
      nodes {
        ...RunInList
      }
    }
    questions(last: 10) {
      nodes {
        ...QuestionAsked
      }
    }
    timeline(first: 40) {
      nodes {
        __typename
        at
        actor {
          kind
          name
        }
        ... on TimelineChange {
          type
          about
          changes {
            field
            before
            after
          }
        }
        ... on TimelineMessage {
          message {
            id
            body
            kind
            editedAt
            deletedAt
          }
        }
      }
    }
    moves {
      stage
      allowed
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
fragment RunInList on Run {
  id
  kind
  status
  attempt
  outcome
  summary
  failureReason
  waitReason
  createdAt
  startedAt
  finishedAt
  chosenAt
  stopRequestedAt
  executor
  branch
  instruction
  profile {
    id
    name
  }
  createdBy {
    ...Person
  }
  files {
    path
  }
  whyNotRunning {
    message
  }
}
fragment QuestionAsked on Question {
  id
  header
  text
  type
  allowOther
  status
  options {
    label
    description
    recommended
  }
  defaultAnswer
  expiresAt
  createdAt
  version
  boardId
  cardId
  runId
  askedBy {
    name
  }
  card {
    name
    title
  }
}`),Ot=new V(`
    mutation UpdateCard($input: UpdateCardInput!) {
  updateCard(input: $input) {
    __typename
    ...ChangedCard
    ...Refused
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
}
fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),kt=new V(`
    mutation AddLabel($cardId: ID!, $labelId: ID!) {
  outcome: addLabel(input: {cardId: $cardId, labelId: $labelId}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),At=new V(`
    mutation RemoveLabel($cardId: ID!, $labelId: ID!) {
  outcome: removeLabel(input: {cardId: $cardId, labelId: $labelId}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),jt=new V(`
    mutation Assign($cardId: ID!, $userId: ID!) {
  outcome: assignCard(input: {cardId: $cardId, userId: $userId}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),Mt=new V(`
    mutation Unassign($cardId: ID!, $userId: ID!) {
  outcome: unassignCard(input: {cardId: $cardId, userId: $userId}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),Nt=new V(`
    mutation AddSubtask($cardId: ID!, $title: String!) {
  outcome: addSubtask(input: {cardId: $cardId, title: $title}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),Pt=new V(`
    mutation TickSubtask($id: ID!, $completed: Boolean!) {
  outcome: updateSubtask(input: {id: $id, completed: $completed}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),Ft=new V(`
    mutation DeleteSubtask($id: ID!) {
  outcome: deleteSubtask(input: {id: $id}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),It=new V(`
    mutation PostMessage($cardId: ID!, $body: String!) {
  outcome: postMessage(input: {cardId: $cardId, body: $body}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),Lt=new V(`
    mutation ArchiveCard($id: ID!) {
  outcome: archiveCard(input: {id: $id}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),Rt=new V(`
    mutation StartRun($input: StartRunInput!) {
  outcome: startRun(input: $input) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),zt=new V(`
    mutation StopRun($id: ID!) {
  outcome: stopRun(input: {id: $id}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),Bt=new V(`
    mutation ConcludeRun($id: ID!) {
  outcome: concludeRun(input: {id: $id}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),Vt=new V(`
    mutation RetryRun($id: ID!, $instruction: String) {
  outcome: retryRun(input: {id: $id, instruction: $instruction}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),Ht=new V(`
    mutation ResumeRun($id: ID!, $instruction: String) {
  outcome: resumeRun(input: {id: $id, instruction: $instruction}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),Ut=new V(`
    mutation ChooseRun($id: ID!) {
  outcome: chooseRun(input: {id: $id}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),Wt=new V(`
    mutation RejectCard($id: ID!, $feedback: String!) {
  outcome: rejectCard(input: {id: $id, feedback: $feedback}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),Gt=new V(`
    mutation AnswerQuestion($id: ID!, $options: [String!], $text: String) {
  outcome: answerQuestion(input: {id: $id, options: $options, text: $text}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),Kt=new V(`
    query WorkersAndQueue($id: ID!) {
  queue(workspaceId: $id) {
    ...Queue
  }
  workers(workspaceId: $id) {
    id
    name
    status
    program
    held
    maxConcurrent
    executors
    heardAt
    error
  }
}
    fragment Queue on QueueState {
  workers {
    status
    count
  }
  boards {
    boardId
    queued
    active
    waiting
    delayed
    dead
    board {
      key
      name
      cardCounts {
        stage
        count
      }
    }
  }
}`),qt=new V(`
    subscription QueueFeed($id: ID!) {
  queueFeed(workspaceId: $id) {
    ...Queue
  }
}
    fragment Queue on QueueState {
  workers {
    status
    count
  }
  boards {
    boardId
    queued
    active
    waiting
    delayed
    dead
    board {
      key
      name
      cardCounts {
        stage
        count
      }
    }
  }
}`),Jt=new V(`
    query Inbox {
  questions(first: 50, filter: {status: [OPEN]}) {
    nodes {
      ...QuestionAsked
    }
    totalCount
  }
  notifications(first: 30) {
    nodes {
      id
      type
      title
      body
      createdAt
      readAt
      boardId
      cardId
      runId
    }
  }
  unreadCount
}
    fragment QuestionAsked on Question {
  id
  header
  text
  type
  allowOther
  status
  options {
    label
    description
    recommended
  }
  defaultAnswer
  expiresAt
  createdAt
  version
  boardId
  cardId
  runId
  askedBy {
    name
  }
  card {
    name
    title
  }
}`),Yt=new V(`
    subscription WorkspaceFeed($id: ID!, $after: String) {
  workspaceFeed(workspaceId: $id, after: $after) {
    cursor
    event {
      __typename
    }
  }
}
    `),Xt=new V(`
    subscription UserFeed($after: String) {
  userFeed(after: $after) {
    cursor
    event {
      __typename
      ... on Notified {
        notificationId
        title
      }
    }
  }
}
    `),Zt=new V(`
    mutation MarkAllRead {
  outcome: markAllNotificationsRead(input: {}) {
    __typename
    ...Refused
  }
}
    fragment Refused on Refusal {
  code
  message
  ... on Invalid {
    issues {
      path
      message
    }
  }
  ... on StageRefused {
    reasons {
      code
      message
    }
  }
}`),Qt=new V(`
    query Run($id: ID!) {
  run(id: $id) {
    ...RunInList
    seq
    baseRef
    headSha
    exitCode
    warnings
    metrics
    patch
    model: profile {
      model
    }
    worker {
      name
    }
    commits {
      sha
      title
    }
    changed: files {
      path
      change
      additions
      deletions
    }
    progress {
      activity
      percent
      inputTokens
      outputTokens
      costUsd
      contextUsed
      contextWindow
    }
    card {
      id
      name
      title
    }
    siblings {
      ...RunInList
    }
    attempts {
      number
      outcome
      startedAt
      endedAt
      reason
      worker {
        name
      }
    }
    questions {
      ...QuestionAsked
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
fragment RunInList on Run {
  id
  kind
  status
  attempt
  outcome
  summary
  failureReason
  waitReason
  createdAt
  startedAt
  finishedAt
  chosenAt
  stopRequestedAt
  executor
  branch
  instruction
  profile {
    id
    name
  }
  createdBy {
    ...Person
  }
  files {
    path
  }
  whyNotRunning {
    message
  }
}
fragment QuestionAsked on Question {
  id
  header
  text
  type
  allowOther
  status
  options {
    label
    description
    recommended
  }
  defaultAnswer
  expiresAt
  createdAt
  version
  boardId
  cardId
  runId
  askedBy {
    name
  }
  card {
    name
    title
  }
}`),$t=new V(`
    subscription RunFeed($id: ID!, $after: String) {
  runFeed(runId: $id, after: $after) {
    ...LogItem
  }
}
    fragment LogItem on RunFeedItem {
  __typename
  seq
  cursor
  at
  ... on RunLine {
    type
    level
    agent
    text
    attempt
  }
  ... on RunOutput {
    item
    part
    stream
    tool
  }
  ... on RunThinking {
    item
    part
  }
  ... on RunToolStarted {
    tool
    name
    kind
    input
  }
  ... on RunToolFinished {
    tool
    result
    exitCode
  }
  ... on RunTodo {
    items {
      key
      state
      text
    }
  }
  ... on RunUsage {
    inputTokens
    outputTokens
    cachedTokens
    costUsd
    contextUsed
    contextWindow
    model
  }
  ... on RunFileChanged {
    path
    change
    additions
    deletions
  }
  ... on RunCommitLine {
    sha
    what
    url
  }
  ... on RunAttempt {
    number
    phase
  }
  ... on RunSubagent {
    phase
    name
    tool
  }
  ... on RunQuestion {
    decision
  }
  ... on RunApproval {
    decision
    tool
  }
  ... on RunChunk {
    item
    part
    offset
    stream
    agent
    type
    chunk: text
    tool
  }
  ... on RunEnded {
    status
    summary
    reason
  }
}`),en=new V(`
    subscription ReplayRun($id: ID!, $speed: Float!, $after: String) {
  replayRun(runId: $id, speed: $speed, after: $after) {
    ...LogItem
  }
}
    fragment LogItem on RunFeedItem {
  __typename
  seq
  cursor
  at
  ... on RunLine {
    type
    level
    agent
    text
    attempt
  }
  ... on RunOutput {
    item
    part
    stream
    tool
  }
  ... on RunThinking {
    item
    part
  }
  ... on RunToolStarted {
    tool
    name
    kind
    input
  }
  ... on RunToolFinished {
    tool
    result
    exitCode
  }
  ... on RunTodo {
    items {
      key
      state
      text
    }
  }
  ... on RunUsage {
    inputTokens
    outputTokens
    cachedTokens
    costUsd
    contextUsed
    contextWindow
    model
  }
  ... on RunFileChanged {
    path
    change
    additions
    deletions
  }
  ... on RunCommitLine {
    sha
    what
    url
  }
  ... on RunAttempt {
    number
    phase
  }
  ... on RunSubagent {
    phase
    name
    tool
  }
  ... on RunQuestion {
    decision
  }
  ... on RunApproval {
    decision
    tool
  }
  ... on RunChunk {
    item
    part
    offset
    stream
    agent
    type
    chunk: text
    tool
  }
  ... on RunEnded {
    status
    summary
    reason
  }
}`),tn=new V(`
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
}`),nn=new V(`
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
}`),rn=new V(`
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
}`),an=new V(`
    mutation SignOut($token: String!) {
  logout(input: {refreshToken: $token}) {
    __typename
  }
}
    `),on=new URL(`graphql`,document.baseURI),sn=class extends Error{code;retryAfter;constructor(e,t,n){super(e),this.code=t,this.retryAfter=n}};async function cn(e,t,n){let{data:r,errors:i}=await(await fetch(on,{method:`POST`,headers:{"content-type":`application/json`,accept:`application/graphql-response+json, application/json`,"graphql-require-preflight":`1`,...n?{authorization:`Bearer ${n}`}:{}},body:JSON.stringify({query:e.toString(),variables:t})})).json(),[a]=i??[];if(a)throw new sn(a.message,a.extensions?.code,a.extensions?.retryAfter);if(!r)throw new sn(`The server gave no answer`,void 0);return r}var ln=`signalbox:session`,un=60,dn=()=>JSON.parse(localStorage.getItem(ln)??`null`),fn=L(dn()),pn=R(()=>fn.value?.username??null);addEventListener(`storage`,({key:e})=>{(e===ln||e===null)&&(fn.value=dn())});function mn(e){e?localStorage.setItem(ln,JSON.stringify(e)):localStorage.removeItem(ln),fn.value=e}function hn(e){if(!(`accessToken`in e))return e.message;let{accessToken:t,expiresAt:n,refreshToken:r,user:i}=e;return mn({accessToken:t,expiresAt:n,refreshToken:r,username:i.username}),null}async function gn(){let e=new URLSearchParams(location.hash.slice(1)).get(`token`);if(e===null)return null;history.replaceState(history.state,``,location.pathname+location.search);try{return hn((await cn(tn,{token:e})).redeemSignInLink)}catch(e){return`The link was not redeemed: ${e.message}`}}async function _n(e,t){try{return hn((await cn(nn,{username:e,password:t})).login)}catch(e){return e.message}}async function vn(){let e=dn();mn(null),e&&await cn(an,{token:e.refreshToken})}var yn=e=>navigator.locks?navigator.locks.request(ln,e):e();async function bn(e){await yn(async()=>{let t=dn();if(!t||t.accessToken!==e){fn.value=t;return}let n=(await cn(rn,{token:t.refreshToken})).refreshSession;hn(n)!==null&&dn()?.refreshToken===t.refreshToken&&mn(null)})}var xn=e=>(Date.parse(e.expiresAt)-Date.now())/1e3-un,Sn=()=>Math.max(0,fn.value?xn(fn.value)*1e3:0);async function Cn(e){let t=dn();if(t)return(xn(t)<=0||t.accessToken===e)&&await bn(t.accessToken),dn()?.accessToken}function H(e){return e===null?`null`:Array.isArray(e)?`array`:typeof e}function wn(e){return H(e)===`object`}function Tn(e){return Array.isArray(e)&&e.length>0&&e.every(e=>`message`in e)}function En(e,t){return e.length<124?e:t}var U=(e=>(e[e.InternalServerError=4500]=`InternalServerError`,e[e.InternalClientError=4005]=`InternalClientError`,e[e.BadRequest=4400]=`BadRequest`,e[e.BadResponse=4004]=`BadResponse`,e[e.Unauthorized=4401]=`Unauthorized`,e[e.Forbidden=4403]=`Forbidden`,e[e.SubprotocolNotAcceptable=4406]=`SubprotocolNotAcceptable`,e[e.ConnectionInitialisationTimeout=4408]=`ConnectionInitialisationTimeout`,e[e.ConnectionAcknowledgementTimeout=4504]=`ConnectionAcknowledgementTimeout`,e[e.SubscriberAlreadyExists=4409]=`SubscriberAlreadyExists`,e[e.TooManyInitialisationRequests=4429]=`TooManyInitialisationRequests`,e))(U||{}),W=(e=>(e.ConnectionInit=`connection_init`,e.ConnectionAck=`connection_ack`,e.Ping=`ping`,e.Pong=`pong`,e.Subscribe=`subscribe`,e.Next=`next`,e.Error=`error`,e.Complete=`complete`,e))(W||{});function Dn(e){if(!wn(e))throw Error(`Message is expected to be an object, but got ${H(e)}`);if(!e.type)throw Error(`Message is missing the 'type' property`);if(typeof e.type!=`string`)throw Error(`Message is expects the 'type' property to be a string, but got ${H(e.type)}`);switch(e.type){case`connection_init`:case`connection_ack`:case`ping`:case`pong`:if(e.payload!=null&&!wn(e.payload))throw Error(`"${e.type}" message expects the 'payload' property to be an object or nullish or missing, but got "${e.payload}"`);break;case`subscribe`:if(typeof e.id!=`string`)throw Error(`"${e.type}" message expects the 'id' property to be a string, but got ${H(e.id)}`);if(!e.id)throw Error(`"${e.type}" message requires a non-empty 'id' property`);if(!wn(e.payload))throw Error(`"${e.type}" message expects the 'payload' property to be an object, but got ${H(e.payload)}`);if(typeof e.payload.query!=`string`)throw Error(`"${e.type}" message payload expects the 'query' property to be a string, but got ${H(e.payload.query)}`);if(e.payload.variables!=null&&!wn(e.payload.variables))throw Error(`"${e.type}" message payload expects the 'variables' property to be a an object or nullish or missing, but got ${H(e.payload.variables)}`);if(e.payload.operationName!=null&&H(e.payload.operationName)!==`string`)throw Error(`"${e.type}" message payload expects the 'operationName' property to be a string or nullish or missing, but got ${H(e.payload.operationName)}`);if(e.payload.extensions!=null&&!wn(e.payload.extensions))throw Error(`"${e.type}" message payload expects the 'extensions' property to be a an object or nullish or missing, but got ${H(e.payload.extensions)}`);break;case`next`:if(typeof e.id!=`string`)throw Error(`"${e.type}" message expects the 'id' property to be a string, but got ${H(e.id)}`);if(!e.id)throw Error(`"${e.type}" message requires a non-empty 'id' property`);if(!wn(e.payload))throw Error(`"${e.type}" message expects the 'payload' property to be an object, but got ${H(e.payload)}`);break;case`error`:if(typeof e.id!=`string`)throw Error(`"${e.type}" message expects the 'id' property to be a string, but got ${H(e.id)}`);if(!e.id)throw Error(`"${e.type}" message requires a non-empty 'id' property`);if(!Tn(e.payload))throw Error(`"${e.type}" message expects the 'payload' property to be an array of GraphQL errors, but got ${JSON.stringify(e.payload)}`);break;case`complete`:if(typeof e.id!=`string`)throw Error(`"${e.type}" message expects the 'id' property to be a string, but got ${H(e.id)}`);if(!e.id)throw Error(`"${e.type}" message requires a non-empty 'id' property`);break;default:throw Error(`Invalid message 'type' property "${e.type}"`)}return e}function On(e,t){return Dn(typeof e==`string`?JSON.parse(e,t):e)}function kn(e,t){return Dn(e),JSON.stringify(e,t)}function An(e){let{url:t,connectionParams:n,lazy:r=!0,onNonLazyError:i=console.error,lazyCloseTimeout:a=0,keepAlive:o=0,disablePong:s,connectionAckWaitTimeout:c=0,retryAttempts:l=5,retryWait:u=async function(e){let t=2**e;await new Promise(e=>setTimeout(e,t*1e3+Math.floor(Math.random()*2700+300)))},shouldRetry:d=Mn,on:f,webSocketImpl:p,generateID:m=function(){return`xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx`.replace(/[xy]/g,e=>{let t=Math.random()*16|0;return(e==`x`?t:t&3|8).toString(16)})},jsonMessageReplacer:h,jsonMessageReviver:g}=e,_;if(p){if(!Pn(p))throw Error(`Invalid WebSocket implementation provided`);_=p}else typeof WebSocket<`u`?_=WebSocket:typeof global<`u`?_=global.WebSocket||global.MozWebSocket:typeof window<`u`&&(_=window.WebSocket||window.MozWebSocket);if(!_)throw Error("WebSocket implementation missing; on Node you can `import WebSocket from 'ws';` and pass `webSocketImpl: WebSocket` to `createClient`");let v=_,y=(()=>{let e=(()=>{let e={};return{on(t,n){return e[t]=n,()=>{delete e[t]}},emit(t){`id`in t&&e[t.id]?.(t)}}})(),t={connecting:f?.connecting?[f.connecting]:[],opened:f?.opened?[f.opened]:[],connected:f?.connected?[f.connected]:[],ping:f?.ping?[f.ping]:[],pong:f?.pong?[f.pong]:[],message:f?.message?[e.emit,f.message]:[e.emit],closed:f?.closed?[f.closed]:[],error:f?.error?[f.error]:[]};return{onMessage:e.on,on(e,n){let r=t[e];return r.push(n),()=>{let e=r.indexOf(n);e>-1&&r.splice(e,1)}},emit(e,...n){for(let r of[...t[e]])r(...n)}}})();function b(e){let t=[y.on(`error`,n=>{t.forEach(e=>e()),e(n)}),y.on(`closed`,n=>{t.forEach(e=>e()),e(n)})];return()=>t.forEach(e=>e())}let x,S=0,C,w=!1,T=0,E=!1;async function D(){clearTimeout(C);let[e,r]=await(x??=new Promise((e,r)=>(async()=>{if(w){if(await u(T),!S)return x=void 0,r({code:1e3,reason:`All Subscriptions Gone`});T++}y.emit(`connecting`,w);let i=new v(typeof t==`function`?await t():t,`graphql-transport-ws`),a,l;function d(){isFinite(o)&&o>0&&(clearTimeout(l),l=setTimeout(()=>{i.readyState===v.OPEN&&(i.send(kn({type:W.Ping})),y.emit(`ping`,!1,void 0))},o))}b(e=>{x=void 0,clearTimeout(a),clearTimeout(l),r(e),e instanceof jn&&(i.close(4499,`Terminated`),i.onerror=null,i.onclose=null)}),i.onerror=e=>y.emit(`error`,e),i.onclose=e=>y.emit(`closed`,e),i.onopen=async()=>{try{y.emit(`opened`,i);let e=typeof n==`function`?await n():n;if(i.readyState!==v.OPEN)return;i.send(kn(e?{type:W.ConnectionInit,payload:e}:{type:W.ConnectionInit},h)),isFinite(c)&&c>0&&(a=setTimeout(()=>{i.close(U.ConnectionAcknowledgementTimeout,`Connection acknowledgement timeout`)},c)),d()}catch(e){y.emit(`error`,e),i.close(U.InternalClientError,En(e instanceof Error?e.message:String(e),`Internal client error`))}};let f=!1;i.onmessage=({data:t})=>{try{let n=On(t,g);if(y.emit(`message`,n),n.type===`ping`||n.type===`pong`){y.emit(n.type,!0,n.payload),n.type===`pong`?d():s||(i.send(kn(n.payload?{type:W.Pong,payload:n.payload}:{type:W.Pong},h)),y.emit(`pong`,!1,n.payload));return}if(f)return;if(n.type!==W.ConnectionAck)throw Error(`First message cannot be of type ${n.type}`);clearTimeout(a),f=!0,y.emit(`connected`,i,n.payload,w),w=!1,T=0;let r=new Promise((e,t)=>b(t));r.catch(()=>{}),e([i,r])}catch(e){i.onmessage=null,y.emit(`error`,e),i.close(U.BadResponse,En(e instanceof Error?e.message:String(e),`Bad response`))}}})()));e.readyState===v.CLOSING&&await r;let i=()=>{},l=new Promise(e=>i=e);return[e,i,new Promise((t,n)=>{let i=b(n);e.readyState!==v.OPEN&&r.catch(n),l.then(()=>{if(i(),!S){let t=()=>e.close(1e3,`Normal Closure`);isFinite(a)&&a>0?(clearTimeout(C),C=setTimeout(()=>{!S&&e.readyState===v.OPEN&&t()},a)):t()}t()})})]}function ee(e){if(Mn(e)&&(Nn(e.code)||[U.InternalServerError,U.InternalClientError,U.BadRequest,U.BadResponse,U.Unauthorized,U.SubprotocolNotAcceptable,U.SubscriberAlreadyExists,U.TooManyInitialisationRequests].includes(e.code)))throw e;if(E)return!1;if(Mn(e)&&e.code===1e3)return S>0;if(!l||T>=l||!d(e))throw e;return w=!0}r||(async()=>{for(S++;;)try{let[,,e]=await D();await e}catch(e){try{if(!ee(e))return}catch(e){return i?.(e)}}})();function te(e,t){let n=m(e),r=!1,i=!1,a=()=>{S--,r=!0};return(async()=>{for(S++;;)try{let[o,s,c]=await D();if(r)return c.catch(()=>{}),s();let l=y.onMessage(n,e=>{switch(e.type){case W.Next:t.next(e.payload);return;case W.Error:i=!0,r=!0,t.error(e.payload),a();return;case W.Complete:r=!0,a();return}});o.send(kn({id:n,type:W.Subscribe,payload:e},h)),a=()=>{!r&&o.readyState===v.OPEN&&o.send(kn({id:n,type:W.Complete},h)),S--,r=!0,s()},await c.finally(l);return}catch(e){if(!ee(e))return}})().then(()=>{i||t.complete()}).catch(e=>{t.error(e)}),()=>{r||a()}}return{on:y.on,subscribe:te,iterate(e){let t=[],n={done:!1,error:null,resolve:()=>{}},r=te(e,{next(e){t.push(e),n.resolve()},error(e){n.done=!0,n.error=e,n.resolve()},complete(){n.done=!0,n.resolve()}}),i=async function*(){for(;;){for(t.length||await new Promise(e=>n.resolve=e);t.length;)yield t.shift();if(n.error)throw n.error;if(n.done)return}}();return i.throw=async e=>(n.done||(n.done=!0,n.error=e,n.resolve()),{done:!0,value:void 0}),i.return=async()=>(r(),{done:!0,value:void 0}),i},async dispose(){if(E=!0,x){let[e]=await x;e.close(1e3,`Normal Closure`)}},terminate(){x&&y.emit(`closed`,new jn)}}}var jn=class extends Error{name=`TerminatedCloseEvent`;message=`4499: Terminated`;code=4499;reason=`Terminated`;wasClean=!1};function Mn(e){return wn(e)&&`code`in e&&`reason`in e}function Nn(e){return![1e3,1001,1006,1005,1012,1013,1014].includes(e)&&e>=1e3&&e<=1999}function Pn(e){return typeof e==`function`&&`constructor`in e&&`CLOSED`in e&&`CLOSING`in e&&`CONNECTING`in e&&`OPEN`in e}var Fn=5,In=10,Ln=L(`idle`);async function G(e,t){let n=await Cn();try{return await cn(e,t,n)}catch(r){if(!(r instanceof sn)||r.code!==`UNAUTHENTICATED`||!n)throw r;return cn(e,t,await Cn(n))}}var Rn=()=>{},zn=e=>new Promise(t=>{let n=setTimeout(t,e*1e3);Rn=()=>{clearTimeout(n),t()}}),Bn,Vn=An({url:on.href.replace(/^http/,`ws`),connectionParams:async()=>{let e=await Cn();return e?{authorization:`Bearer ${e}`}:{}},keepAlive:In*1e3,retryAttempts:1/0,shouldRetry:()=>!0,retryWait:e=>zn(Math.min(Fn,.25*2**e)*(.75+Math.random()/2)),on:{connecting:()=>{Ln.peek()!==`lost`&&(Ln.value=`connecting`)},connected:()=>{Ln.value=`open`},closed:()=>{Ln.value=`lost`},ping:e=>{e||(Bn=setTimeout(()=>Vn.terminate(),In/2*1e3))},pong:e=>{e&&clearTimeout(Bn)}}});for(let e of[`online`,`focus`])addEventListener(e,()=>Rn());z(()=>{if(!fn.value){Vn.terminate();return}let e=setTimeout(()=>Vn.terminate(),Math.min(Sn()+1e3,2**31-1));return()=>clearTimeout(e)});function Hn(e,t,n){let r={...t},i;return Vn.subscribe({query:e.toString(),variables:r},{next:({data:e,errors:t})=>{let a=e&&Object.values(e)[0];a?.cursor&&(r.after=a.cursor),t?i=t[0]?.extensions?.code??`INTERNAL`:e&&n.next(e)},error:e=>{let t=Array.isArray(e)?e[0]:void 0;n.ended(t?.extensions?.code??`INTERNAL`)},complete:()=>n.ended(i)})}function Un(e){return!(`message`in e)||e.message===void 0?null:e.reasons?.length?e.reasons.map(({message:e})=>e):e.issues?.length?e.issues.map(({message:e})=>e):[e.message]}var Wn=`0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz`,Gn=Wn.slice(10),Kn=new Map;function qn(e){let t=Kn.get(e);if(t===void 0){t=new Uint8Array(256);for(let n=0;n<e.length;n++)t[e.charCodeAt(n)]=n;Kn.set(e,t)}return t}function Jn(e,t,n,r){let i=n[0];if(t!=null&&e>=t)throw Error(e+` >= `+t);if(e.slice(-1)===i||t&&t.slice(-1)===i)throw Error(`trailing zero`);if(t){let a=0;for(;(e[a]||i)===t[a];)a++;if(a>0)return t.slice(0,a)+Jn(e.slice(a),t.slice(a),n,r)}let a=e?r[e.charCodeAt(0)]:0,o=t==null?n.length:r[t.charCodeAt(0)];return o-a>1?n[Math.round(.5*(a+o))]:t&&t.length>1?t.slice(0,1):n[a]+Jn(e.slice(1),null,n,r)}function Yn(e,t,n){if(e.length!==Xn(e[0],t,n))throw Error(`invalid integer part of order key: `+e)}function Xn(e,t,n){let r=n[e.charCodeAt(0)];if(t[r]===e){let e=t.length/2;return r<e?e-r+1:r-e+2}throw Error(`invalid order key head: `+e)}function Zn(e,t,n){let r=Xn(e[0],t,n);if(r>e.length)throw Error(`invalid order key: `+e);return e.slice(0,r)}function Qn(e,t,n,r){if(nr(e,t,n))throw Error(`invalid order key: `+e);let i=Zn(e,n,r);if(e.slice(i.length).slice(-1)===t[0])throw Error(`invalid order key: `+e)}function $n(e,t,n,r,i){Yn(e,r,i);let a=e[0],o=t[0],s=``;for(let r=e.length-1;r>=1;r--){let i=n[e.charCodeAt(r)]+1;if(i===t.length)s=o+s;else return a+e.slice(1,r)+t[i]+s}let c=i[a.charCodeAt(0)];if(c===r.length-1)return null;let l=r[c+1],u=Xn(l,r,i)-Xn(a,r,i);return l+(u>0?s+o:u<0?s.slice(1):s)}function er(e,t,n,r,i){Yn(e,r,i);let a=e[0],o=t[t.length-1],s=``;for(let r=e.length-1;r>=1;r--){let i=n[e.charCodeAt(r)]-1;if(i===-1)s=o+s;else return a+e.slice(1,r)+t[i]+s}let c=i[a.charCodeAt(0)];if(c===0)return null;let l=r[c-1],u=Xn(l,r,i)-Xn(a,r,i);return l+(u>0?s+o:u<0?s.slice(1):s)}var tr=new Map;function nr(e,t,n){let r=tr.get(n);r===void 0&&(r=new Map,tr.set(n,r));let i=t.charCodeAt(0),a=r.get(i);return a===void 0&&(a=n[0]+t[0].repeat(n.length/2),r.set(i,a)),e===a}function rr(e){for(let t=1;t<e.length;t++)if(e.charCodeAt(t-1)>=e.charCodeAt(t))return!1;return!0}function ir(e){for(let t=0;t<e.length;t++)if(e.charCodeAt(t)>255)return!1;return!0}var ar=new Set;function or(e){if(!ar.has(e)){if(e.length<2||!rr(e))throw Error(`digits must be at least 2 characters in strictly ascending character code order: `+e);if(!ir(e))throw Error(`digits must be single-byte (char code 0-255): `+e);ar.add(e)}}var sr=new Set;function cr(e){if(!sr.has(e)){if(e.length<2||e.length%2!=0||!rr(e))throw Error(`intDigits must be an even number of at least 2 characters in strictly ascending character code order: `+e);if(!ir(e))throw Error(`intDigits must be single-byte (char code 0-255): `+e);sr.add(e)}}function lr(e,t,n=void 0,r=void 0){r===void 0?r=n??Gn:cr(r),n===void 0?n=Wn:or(n);let i=qn(n),a=qn(r);if(e!=null&&Qn(e,n,r,a),t!=null&&Qn(t,n,r,a),e!=null&&t!=null&&e>t){let n=e;e=t,t=n}if(e==null){if(t==null)return r[r.length/2]+n[0];let e=Zn(t,r,a),o=t.slice(e.length);if(nr(e,n,r))return e+Jn(``,o,n,i);if(e<t)return e;let s=er(e,n,i,r,a);if(s==null)throw Error(`cannot decrement any more`);return s}if(t==null){let t=Zn(e,r,a),o=e.slice(t.length);return $n(t,n,i,r,a)??t+Jn(o,null,n,i)}let o=Zn(e,r,a),s=e.slice(o.length),c=Zn(t,r,a),l=t.slice(c.length);if(o===c)return o+Jn(s,l,n,i);let u=$n(o,n,i,r,a);if(u==null)throw Error(`cannot increment any more`);return u<t?u:o+Jn(s,null,n,i)}var ur=(e,t)=>e.rank<t.rank?-1:e.rank>t.rank?1:e.id<t.id?-1:+(e.id>t.id);function dr(e,t){try{return lr(e??null,t??null)}catch{return e??t??`a0`}}var fr=8,pr=L([]),mr=0;function hr(e,t=[],n=`done`){let r=++mr;pr.value=[...pr.value.slice(-2),{id:r,title:e,details:t,kind:n}],setTimeout(()=>gr(r),fr*1e3)}function gr(e){pr.value=pr.value.filter(t=>t.id!==e)}var _r=8,vr=new Set([`NOT_FOUND`,`FORBIDDEN`]),yr=new Set([void 0,`UNAVAILABLE`,`TIMEOUT`,`UNAUTHENTICATED`,`RATE_LIMITED`]),br=class{id;facts=L(null);columns=L([]);lanes=L(new Map);cards=new Map;failure=L(null);seq=L(0);touched=L({id:``,count:0,type:``});mayWrite=R(()=>this.facts.value?.workspace?.myRole!==`VIEWER`);pending=new Map;read=new Map;arrived=[];frame;stop=()=>{};closed=!1;cursor=``;constructor(e){this.id=e,this.load()}close(){this.closed=!0,this.stop(),clearTimeout(this.frame)}async load(){try{let{board:e}=await G(xt,{id:this.id});if(this.closed)return;if(!e){this.failure.value=`This board does not exist, or you may not see it.`;return}let{cards:t,columns:n,cursor:r,seq:i,...a}=e;P(()=>{this.failure.value=null,this.facts.value=a,this.columns.value=[...n].sort(ur),this.cards.clear(),this.seq.value=i,this.read.clear();for(let e of t.nodes)this.cards.set(e.id,L(e));this.arrange()}),this.cursor=r,this.listen(),t.pageInfo.hasNextPage&&await this.loadRest(t.pageInfo.endCursor)}catch(e){if(this.closed)return;this.failure.value=e.message,setTimeout(()=>this.failure.peek()&&!this.closed&&void this.load(),2e3)}}async loadRest(e){for(;e;){let{board:t}=await G(xt,{id:this.id,after:e});if(!t||this.closed)return;P(()=>t.cards.nodes.forEach(e=>this.put(e,t.seq))),e=t.cards.pageInfo.hasNextPage?t.cards.pageInfo.endCursor:null}}listen(){this.stop=Hn(St,{id:this.id,after:this.cursor},{next:({boardFeed:e})=>{this.arrived.push(e),this.frame??=setTimeout(()=>this.apply(),16)},ended:e=>{this.closed||(vr.has(e??``)?this.failure.value=`This board was deleted, or you may no longer see it.`:yr.has(e)?setTimeout(()=>!this.closed&&this.listen(),1e3):setTimeout(()=>!this.closed&&void this.load(),500))}})}apply(){this.frame=void 0;let e=performance.now()+_r;P(()=>{let t;for(;performance.now()<e&&(t=this.arrived.shift());)this.show(t)}),this.arrived.length&&(this.frame=setTimeout(()=>this.apply(),16))}show({seq:e,cursor:t,event:n}){if(this.cursor=t,this.seq.value=e,`cardId`in n)n.card?this.put(n.card,e):this.remove(n.cardId),this.touched.value={id:n.cardId,count:this.touched.peek().count+1,type:n.__typename};else if(`ranks`in n){for(let{nodeId:e,rank:t}of n.ranks){let n=this.cards.get(e);n&&(n.value={...n.peek(),rank:t}),this.columns.value=this.columns.peek().map(n=>n.id===e?{...n,rank:t}:n)}this.columns.value=[...this.columns.peek()].sort(ur),this.arrange()}else if(`columnId`in n){let e=this.columns.peek().filter(({id:e})=>e!==n.columnId);this.columns.value=(n.column?[...e,n.column]:e).sort(ur),this.arrange()}else n.__typename===`BoardDeleted`?this.failure.value=`This board was deleted.`:/^(Board|Label|AgentProfile)/.test(n.__typename)&&this.reload()}async reload(){let{board:e}=await G(xt,{id:this.id});if(!e||this.closed)return;let{cards:t,columns:n,cursor:r,seq:i,...a}=e;P(()=>{this.facts.value=a,t.nodes.forEach(e=>this.put(e,i))})}put(e,t){if(t<(this.read.get(e.id)??0))return;this.read.set(e.id,t);let n=this.cards.get(e.id);if(e.archivedAt){this.remove(e.id);return}let r={...e,...this.pending.get(e.id)},i=n?.peek();n?n.value=r:this.cards.set(r.id,L(r)),(i?.columnId!==r.columnId||i.rank!==r.rank)&&(i&&i.columnId!==r.columnId&&this.sort(i.columnId),this.sort(r.columnId))}putChanged(e){P(()=>this.put(e,e.board?.seq??this.seq.peek()))}remove(e){let t=this.cards.get(e);t&&(this.cards.delete(e),this.sort(t.peek().columnId))}arrange(){let e=new Map(this.columns.peek().map(({id:e})=>[e,this.lanes.peek().get(e)??L([])]));this.lanes.value=e;for(let t of e.keys())this.sort(t)}sort(e){let t=this.lanes.peek().get(e);if(!t)return;let n=[];for(let t of this.cards.values())t.peek().columnId===e&&n.push(t.peek());let r=n.sort(ur).map(({id:e})=>e);r.join()!==t.peek().join()&&(t.value=r)}overlay(e,t){let n=this.cards.get(e);if(!n)return;let r=n.peek().columnId;n.value={...n.peek(),...t},this.sort(r),this.sort(n.peek().columnId)}async move(e,t,n,r=!0){let i=this.cards.get(e)?.peek(),a=this.columns.peek().find(e=>e.id===t);if(!i||!a)return!1;let o=(this.lanes.peek().get(t)?.peek()??[]).filter(t=>t!==e),s=n===null?0:o.indexOf(n)+1,c=e=>e?this.cards.get(e)?.peek().rank:void 0,l=dr(c(o[s-1]),c(o[s])),u={columnId:i.columnId,stage:i.stage,rank:i.rank},d={columnId:t,stage:a.stage,rank:l};r&&(this.pending.set(e,d),P(()=>this.overlay(e,d)));let f={id:e,position:n===null?{top:!0}:{after:n}};t!==u.columnId&&(f.destination={columnId:t});try{let t=(await G(wt,{input:f})).moveCard;this.settle(e,d);let n=Un(t);if(n===null)return this.putChanged(t),!0;this.restore(e,d,u),hr(`${i.name} stays in ${this.nameOf(u.columnId)}`,n,`refused`)}catch(t){this.settle(e,d),this.restore(e,d,u),hr(`${i.name} was not moved`,[t.message],`refused`)}return!1}settle(e,t){this.pending.get(e)===t&&this.pending.delete(e)}restore(e,t,n){this.cards.get(e)?.peek()?.rank===t.rank&&!this.pending.has(e)&&P(()=>this.overlay(e,n))}async create(e,t){let n=(await G(Tt,{input:{boardId:this.id,title:t,destination:{columnId:e},position:{top:!0}}})).createCard,r=Un(n);return r?hr(`The card was not created`,r,`refused`):this.putChanged(n),r===null}nameOf(e){return this.columns.peek().find(({id:t})=>t===e)?.name??``}},xr=L(null),Sr=L(null),Cr=R(()=>xr.value?.workspaces.nodes??[]),wr=R(()=>Cr.value.flatMap(e=>e.boards.nodes));async function Tr(){try{xr.value=await G(bt,{}),Sr.value=null}catch(e){Sr.value=e.message,setTimeout(()=>Sr.peek()&&void Tr(),3e3)}}var Er=`signalbox:theme`,Dr=L(localStorage.getItem(Er)??`system`);Dr.subscribe(e=>{localStorage.setItem(Er,e),e===`system`?delete document.documentElement.dataset.theme:document.documentElement.dataset.theme=e});var Or=120,kr=new Set([`RunProgressed`]),Ar=class{board;id;detail=L(null);failure=L(null);timer;unwatch;closed=!1;constructor(e,t){this.board=e,this.id=t,this.load(),this.unwatch=z(()=>{let{id:n,type:r}=e.touched.value;n===t&&!kr.has(r)&&(this.timer??=setTimeout(()=>void this.load(),Or))})}close(){this.closed=!0,this.unwatch(),clearTimeout(this.timer)}async load(){this.timer=void 0;try{let{card:e}=await G(Dt,{id:this.id});if(this.closed)return;this.detail.value=e??null,this.failure.value=e?null:`This card was deleted, or you may not see it.`}catch(e){this.failure.value=e.message}}async update(e){try{let t=(await G(Ot,{input:{id:this.id,...e}})).updateCard,n=Un(t);return n?hr(`The card was not changed`,n,`refused`):this.board.putChanged(t),n||this.load(),!n}catch(e){return hr(`The card was not changed`,[e.message],`refused`),!1}}},jr=150,Mr=3e3,Nr=L(null),Pr=R(()=>Nr.value?.questions.nodes??[]),Fr=R(()=>Nr.value?.unreadCount??0),Ir=R(()=>(Nr.value?.questions.totalCount??0)+Fr.value),Lr;function Rr(){Lr??=setTimeout(()=>{Lr=void 0,G(Jt,{}).then(e=>{Nr.value=e}).catch(()=>setTimeout(Rr,Mr))},jr)}function zr(e){let t=!1,n=()=>{},r=()=>{n=e(e=>{!t&&e!==`NOT_FOUND`&&setTimeout(()=>!t&&r(),Mr)})};return r(),()=>{t=!0,n()}}var Br=R(()=>Cr.value.map(({id:e})=>e).join(` `));z(()=>{let e=Br.value.split(` `).filter(Boolean);if(!e.length){Nr.value=null;return}let t=e.map(e=>zr(t=>Hn(Yt,{id:e},{next:({workspaceFeed:{event:e}})=>{/^(Question|FeedStarted)/.test(e.__typename)&&Rr()},ended:t}))),n=zr(e=>Hn(Xt,{},{next:({userFeed:{event:e}})=>{Rr(),e.__typename===`Notified`&&Vr(e.title)},ended:e}));return()=>[...t,n].forEach(e=>e())}),z(()=>{document.title=Ir.value?`(${Ir.value}) Signalbox`:`Signalbox`});function Vr(e){document.hidden&&`Notification`in window&&Notification.permission===`granted`&&new Notification(e)}async function Hr(e,t,n){let{outcome:r}=await G(Gt,{id:e.id,options:t.length?t:null,text:n.trim()||null}),i=Un(r);return hr(i?`The answer was not taken`:`Answered`,i??[],i?`refused`:`done`),Rr(),i===null}async function Ur(){await G(Zt,{}),Rr()}var Wr=()=>location.hash.startsWith(`#/`)?location.hash.slice(2).split(`/`).filter(Boolean).map(decodeURIComponent):[],K=L(Wr());addEventListener(`hashchange`,()=>{K.value=Wr()});var Gr=R(()=>K.value[0]??``),Kr=R(()=>K.value[0]===`boards`?K.value[1]??null:null),qr=R(()=>K.value[0]===`boards`?K.value[2]??null:null),Jr=R(()=>K.value[0]===`boards`?K.value[3]??null:null);R(()=>K.value[1]??null);var q=(...e)=>`#/${e.filter(Boolean).map(e=>encodeURIComponent(e)).join(`/`)}`;function Yr(...e){let t=q(...e);t!==location.hash&&(location.hash=t),K.value=Wr()}function Xr(...e){history.replaceState(history.state,``,q(...e)),K.value=Wr()}var Zr=Symbol.for(`pv`),Qr=0;Array.isArray;function J(t,n,r,i,a,o){n||={};var s,c,l=n;if(`ref`in l&&typeof t!=`function`)for(c in l={},n)c==`ref`?s=n[c]:l[c]=n[c];var u={type:t,props:l,key:r,ref:s,__k:null,__:null,__b:0,__e:null,__c:null,constructor:Zr,__v:--Qr,__i:-1,__u:0};return(a||o)&&(u.__source=a,u.__self=o),e.vnode&&e.vnode(u),u}var $r={inbox:`M2.5 9.5h3l1 2h3l1-2h3M4 3.5h8l1.5 6v3h-11v-3z`,chart:`M3 13V8.5M8 13V3.5M13 13V6.5`,search:`M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14`,filter:`M2.5 4.5h11M4.5 8h7M6.5 11.5h3`,plus:`M8 3v10M3 8h10`,close:`m4 4 8 8M12 4l-8 8`,check:`m3.5 8.5 3 3 6-7`,comment:`M3 3.5h10v7H8l-3 2.5v-2.5H3z`,calendar:`M3 4h10v9H3zM3 7h10M6 2.5v3M10 2.5v3`,board:`M2.5 3.5h3v9h-3zM6.5 3.5h3v6h-3zM10.5 3.5h3v7.5h-3z`,code:`m5.5 5-3 3 3 3M10.5 5l3 3-3 3`,menu:`M2.5 4.5h11M2.5 8h11M2.5 11.5h11`,sun:`M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9`,moon:`M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z`,half:`M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11`,play:`M5 3.5v9l7-4.5z`,stop:`M4.5 4.5h7v7h-7z`,retry:`M3 8a5 5 0 1 0 1.5-3.5M3 2.5V5h2.5`,chevron:`m6 4 4 4-4 4`,bolt:`M8.5 2 4 9h3.5l-.5 5L12 7H8.5z`,file:`M4 2.5h5l3 3v8H4zM9 2.5v3h3`,bell:`M4 11V7.5a4 4 0 0 1 8 0V11l1 1H3zM7 13.5h2`,keyboard:`M2 4.5h12v7H2zM4.5 7h.01M7 7h.01M9.5 7h.01M12 7h.01M5 9.5h6`};function Y({name:e,size:t=16}){return J(`svg`,{class:`icon`,width:t,height:t,viewBox:`0 0 16 16`,"aria-hidden":`true`,children:J(`path`,{d:$r[e]})})}var ei={BACKLOG:0,PLAN:0,TODO:0,IN_PROGRESS:.5,REVIEW:.75,DONE:1};function ti({stage:e}){let t=2*Math.PI*2.5;return J(`svg`,{class:`stage stage-${e.toLowerCase()}`,width:`16`,height:`16`,viewBox:`0 0 16 16`,"aria-hidden":`true`,children:[J(`circle`,{class:`stage-rim`,cx:`8`,cy:`8`,r:`5.8`}),e===`DONE`?J(x,{children:[J(`circle`,{class:`stage-full`,cx:`8`,cy:`8`,r:`5.8`}),J(`path`,{class:`stage-check`,d:`m5.4 8.2 1.8 1.8 3.4-3.8`})]}):J(`circle`,{class:`stage-part`,cx:`8`,cy:`8`,r:`2.5`,"stroke-dasharray":`${t*ei[e]} ${t}`,transform:`rotate(-90 8 8)`})]})}var ni={NONE:0,LOW:1,MEDIUM:2,HIGH:3,CRITICAL:4};function ri({priority:e}){return J(`svg`,{class:`priority priority-${e.toLowerCase()}`,width:`14`,height:`14`,viewBox:`0 0 16 16`,"aria-hidden":`true`,children:e===`CRITICAL`?J(x,{children:[J(`rect`,{x:`1.5`,y:`1.5`,width:`13`,height:`13`,rx:`3`}),J(`path`,{class:`mark`,d:`M8 4.5v4.5M8 11.3v.2`})]}):[0,1,2].map(t=>J(`rect`,{x:1.5+t*5,y:10-t*3.5,width:`3`,height:4.5+t*3.5,rx:`1`,opacity:t<ni[e]?1:.28},t))})}function ii({done:e,total:t}){let n=2*Math.PI*5;return J(`svg`,{class:`ring`,width:`14`,height:`14`,viewBox:`0 0 14 14`,"aria-hidden":`true`,children:[J(`circle`,{cx:`7`,cy:`7`,r:`5`}),J(`circle`,{class:`ring-part`,cx:`7`,cy:`7`,r:`5`,"stroke-dasharray":`${t?n*e/t:0} ${n}`,transform:`rotate(-90 7 7)`})]})}var ai=({children:e})=>J(`span`,{class:`hidden`,children:e}),oi=e=>e.nickname??([e.firstName,e.lastName].filter(Boolean).join(` `)||e.username),si=e=>e.split(/\s+/).slice(0,2).map(e=>[...e][0]??``).join(``).toUpperCase(),ci=e=>{let t=0;for(let n of e)t=t*31+n.codePointAt(0)>>>0;return t%8*45+10};function li({person:e}){let t=oi(e);return J(`span`,{class:`avatar`,style:{"--hue":ci(e.id)},title:t,children:[J(`span`,{"aria-hidden":`true`,children:si(t)}),J(ai,{children:t})]})}var ui=({label:e})=>J(`span`,{class:`label`,style:{"--label":e.colour},children:e.name}),di={IDLE:`Idle`,QUEUED:`Waits for a worker`,STARTING:`Starts`,PLANNING:`Plans`,WORKING:`Works`,WAITING_TOOL:`Waits for a tool`,WAITING_INPUT:`Asks you`,BLOCKED:`Blocked`,SUCCEEDED:`Succeeded`,FAILED:`Failed`,CANCELLED:`Stopped`},fi=new Set([`At work`,`Waits for a worker`,`Waits for an answer`,`Starting`,`Done`]),pi=({state:e,activity:t})=>J(`span`,{class:`agent agent-${e.toLowerCase()}`,children:[J(`span`,{class:`agent-dot`,"aria-hidden":`true`}),J(`span`,{class:`agent-state`,children:di[e]}),t&&!fi.has(t)&&J(`span`,{class:`agent-activity`,children:t})]}),X=e=>e.charAt(0)+e.slice(1).toLowerCase().replaceAll(`_`,` `),mi=Object.assign;function hi(e,t){for(var n in e)if(n!=`__source`&&e[n]!==t[n])return!0;for(var r in t)if(r!=`__source`&&!(r in e))return!0;return!1}var gi=/^(-|f[lo].*[^se]$|g.{5,}[^ps]$|z|o[pr]|(W.{5})?[lL]i.*(t|mp)$|an|(bo|s).{4}Im|sca|m.{6}[ds]|ta|c.*[st]$|wido|ini|asp|fill|st)/;function _i(e,t){function n(e){var n=this.props.ref;return n!=e.ref&&n&&(typeof n==`function`?n(null):n.current=null),t?!t(this.props,e)||n!=e.ref:hi(this.props,e)}function r(t){return this.shouldComponentUpdate=n,y(e,t)}return r.displayName=`Memo(`+(e.displayName||e.name)+`)`,r.prototype.isReactComponent=!0,r.type=e,r}var vi=Symbol.for(`react.element`),yi=/^(?:accent|alignment|arabic|baseline|cap|clip(?!PathU)|color|dominant|fill|flood|font|glyph(?!R)|horiz|image(?!S)|letter|lighting|marker(?!H|W|U)|overline|paint|pointer|shape|stop|strikethrough|stroke|text(?!L)|transform|underline|unicode|units|v|vector|vert|word|writing|x(?!C))[A-Z]/,bi=/[A-Z0-9]/g,xi=typeof document<`u`,Si=function(e){return/fil|che|rad/.test(e)};S.prototype.isReactComponent=!0,[`componentWillMount`,`componentWillReceiveProps`,`componentWillUpdate`].forEach(function(e){Object.defineProperty(S.prototype,e,{configurable:!0,get:function(){return this[`UNSAFE_`+e]},set:function(t){Object.defineProperty(this,e,{configurable:!0,writable:!0,value:t})}})});var Ci=e.event;e.event=function(e){return Ci&&(e=Ci(e)),e.persist=function(){},e.isPropagationStopped=function(){return this.cancelBubble},e.isDefaultPrevented=function(){return this.defaultPrevented},e.nativeEvent=e};var wi={configurable:!0,get:function(){return this.class}},Ti=e.vnode;e.vnode=function(e){if(typeof e.type==`string`)(function(e){var t=e.props,n=e.type,r={},i=n.indexOf(`-`)==-1;for(var a in t){var o=t[a];if(!(a==`value`&&`defaultValue`in t&&o==null||xi&&a==`children`&&n==`noscript`||a==`class`||a==`className`)){if(a==`style`&&o&&o.constructor==Object){var s=void 0;for(var c in o)typeof o[c]!=`number`||gi.test(c)||(s||=o=mi({},o),o[c]+=`px`)}else if(a==`defaultValue`&&`value`in t&&t.value==null)a=`value`;else if(a==`download`&&!0===o)o=``;else if(a==`translate`&&o===`no`)o=!1;else if(a[0]==`o`&&a[1]==`n`){var l=a.toLowerCase();l==`ondoubleclick`?a=`ondblclick`:l!=`onchange`||n!=`input`&&n!=`textarea`||Si(t.type)?l==`onfocus`?a=`onfocusin`:l==`onblur`&&(a=`onfocusout`):l=a=`oninput`,l==`oninput`&&r[a=l]&&(a=`oninputCapture`)}else i&&yi.test(a)?a=a.replace(bi,`-$&`).toLowerCase():o===null&&(o=void 0);r[a]=o}}if(n==`select`){var u=r.defaultValue==null?r.multiple&&Array.isArray(r.value)?r.value:null:r.defaultValue;u!=null&&(r.value=re(t.children).forEach(function(e){e.props.selected=r.multiple?u.indexOf(e.props.value)!=-1:u==e.props.value}))}t.class&&!t.className?(r.class=t.class,Object.defineProperty(r,"className",wi)):t.className&&(r.class=r.className=t.className),e.props=r})(e);else if(typeof e.type==`function`&&(`ref`in e.props&&`prototype`in e.type&&e.type.prototype.render&&(e.ref=e.props.ref,delete e.props.ref),e.type.defaultProps)){var t=mi({},e.props);for(var n in e.type.defaultProps)t[n]===void 0&&(t[n]=e.type.defaultProps[n]);e.props=t}e.ref&&!(`ref`in e.props)&&Object.defineProperty(e.props,"ref",{value:e.ref,configurable:!0,writable:!0}),e.$$typeof=vi,Ti&&Ti(e)};var Ei={working:[`QUEUED`,`STARTING`,`PLANNING`,`WORKING`,`WAITING_TOOL`,`BLOCKED`],asking:[`WAITING_INPUT`],failed:[`FAILED`,`CANCELLED`]},Di=L(``),Oi=L(new Set),ki=L(new Set),Ai=L(new Set),ji=R(()=>!!Di.value.trim()||Oi.value.size+ki.value.size+Ai.value.size>0);function Mi(){Di.value=``,Oi.value=ki.value=Ai.value=new Set}function Ni(e,t){let n=new Set(e.value);n.delete(t)||n.add(t),e.value=n}var Pi=e=>e.normalize(`NFKD`).replace(/\p{M}/gu,``).toLowerCase();function Fi(e){let t=Pi(Di.value.trim());return!(t&&!Pi(`${e.name} ${e.title}`).includes(t)||Oi.value.size&&!e.assignees.some(({id:e})=>Oi.value.has(e))||ki.value.size&&!e.labels.some(({id:e})=>ki.value.has(e))||Ai.value.size&&![...Ai.value].some(t=>Ei[t].includes(e.agentState)))}var Ii=4,Li=220,Ri=56,zi=14,Z=L(null),Bi=L(null),Vi=L(``);function Hi(e,t,n){let r=e.cards.get(t)?.peek();if(!r)return;let i=e.lanes.peek().get(r.columnId)?.peek()??[],a={columnId:r.columnId,after:i[i.indexOf(t)-1]??null};P(()=>{Bi.value=null,Z.value={id:t,name:r.name,by:n,from:a,over:n===`keyboard`?a:null}}),G(Ct,{id:t}).then(({card:e})=>{Z.peek()?.id===t&&e&&(Bi.value=new Map(e.moves.map(e=>[e.stage,e])))}).catch(()=>{})}function Ui(e){let t=Z.peek();t&&(t.over?.columnId!==e?.columnId||t.over?.after!==e?.after)&&(Z.value={...t,over:e})}var Wi=(e,t)=>t===Z.value?.from.columnId||(Bi.value?.get(e)?.allowed??!0);function Gi(){Z.peek()&&(Vi.value=`${Z.peek().name} was put back.`),Z.value=null}async function Ki(e){let t=Z.peek(),n=e.columns.peek().find(({id:e})=>e===t?.over?.columnId);if(!t?.over||!n)return Gi();let{id:r,name:i,over:a,from:o}=t,s=Wi(n.stage,n.id);Z.value=null,(a.columnId!==o.columnId||a.after!==o.after&&a.after!==r)&&await e.move(r,a.columnId,a.after,s)&&(Vi.value=`${i} is in ${n.name} now.`)}function qi(e,t,n){let r=document.elementFromPoint(e,t)?.closest(`[data-column]`);if(!r)return null;let i=null;for(let e of r.querySelectorAll(`[data-card]`)){let r=e.dataset.card;if(r===n)continue;let a=e.getBoundingClientRect();if(t<a.top+a.height/2)break;i=r}return{columnId:r.dataset.column,after:i}}function Ji(e,t){let n=e=>Math.ceil((1-Math.max(0,e)/Ri)*zi),r=document.querySelector(`.columns`);if(r){let t=r.getBoundingClientRect();e<t.left+Ri?r.scrollLeft-=n(e-t.left):e>t.right-Ri&&(r.scrollLeft+=n(t.right-e))}let i=document.elementFromPoint(e,t)?.closest(`[data-column]`)?.querySelector(`.cards`);if(i){let e=i.getBoundingClientRect();t<e.top+Ri?i.scrollTop-=n(t-e.top):t>e.bottom-Ri&&(i.scrollTop+=n(e.bottom-t))}}function Yi(e,t,n){if(n.button!==0||!n.isPrimary||Z.peek()||!e.mayWrite.peek())return;let r=n.currentTarget,i=n.pointerType===`touch`,a=r.getBoundingClientRect(),o={x:n.clientX,y:n.clientY},s=o,c=null,l=0,u=()=>{c=r.cloneNode(!0),c.classList.add(`ghost`),c.setAttribute(`aria-hidden`,`true`),c.removeAttribute(`data-card`),c.style.inlineSize=`${a.width}px`,document.body.append(c),document.documentElement.classList.add(`is-dragging`),Hi(e,t,`pointer`),l=requestAnimationFrame(d)},d=()=>{c.style.translate=`${a.left+s.x-o.x}px ${a.top+s.y-o.y}px`,Ji(s.x,s.y),Ui(qi(s.x,s.y,t)),l=requestAnimationFrame(d)},f=i?setTimeout(u,Li):void 0,p=e=>{e.pointerId===n.pointerId&&(s={x:e.clientX,y:e.clientY},c||Math.hypot(s.x-o.x,s.y-o.y)<Ii||(i?v():u()))},m=r=>{if(r.pointerId!==n.pointerId)return;let i=c!==null;s={x:r.clientX,y:r.clientY},i&&Ui(qi(s.x,s.y,t)),v(),i&&(addEventListener(`click`,Xi,{capture:!0,once:!0}),setTimeout(()=>removeEventListener(`click`,Xi,{capture:!0})),Ki(e))},h=()=>{v(),Gi()},g=e=>e.key===`Escape`&&c&&(e.stopPropagation(),h()),_=e=>c&&e.preventDefault(),v=()=>{clearTimeout(f),cancelAnimationFrame(l),c?.remove(),c=null,document.documentElement.classList.remove(`is-dragging`),removeEventListener(`pointermove`,p),removeEventListener(`pointerup`,m),removeEventListener(`pointercancel`,h),removeEventListener(`keydown`,g,!0),removeEventListener(`touchmove`,_)};addEventListener(`pointermove`,p),addEventListener(`pointerup`,m),addEventListener(`pointercancel`,h),addEventListener(`keydown`,g,!0),addEventListener(`touchmove`,_,{passive:!1})}var Xi=e=>{e.preventDefault(),e.stopPropagation()};function Zi(e,t,n){let r=Z.peek();if(!r?.over)return;let i=e.columns.peek(),a=i.findIndex(({id:e})=>e===r.over.columnId),o=t=>(e.lanes.peek().get(t)?.peek()??[]).filter(e=>e!==r.id&&n(e)),s=o(r.over.columnId),c=r.over.after===null?0:s.indexOf(r.over.after)+1,l=t===`ArrowLeft`?-1:+(t===`ArrowRight`);if(l){let e=i[a+(document.dir===`rtl`?-l:l)];e&&Ui({columnId:e.id,after:o(e.id)[c-1]??o(e.id).at(-1)??null}),e&&c===0&&Ui({columnId:e.id,after:null})}else{let e=Math.min(s.length,Math.max(0,c+(t===`ArrowDown`?1:-1)));Ui({columnId:r.over.columnId,after:e===0?null:s[e-1]})}let u=Z.peek().over,d=i.find(({id:e})=>e===u.columnId),f=u.after===null?1:o(u.columnId).indexOf(u.after)+2,p=Bi.peek()?.get(d.stage),m=d.id!==r.from.columnId&&p&&!p.allowed;Vi.value=`${d.name}, place ${f}.${m?` Not allowed: ${p.reasons[0]?.message??``}`:``}`}function Qi({label:e,count:t=0,icon:n,class:r=`pill`,children:i}){let a=Me(),o=N(null),s=N(null);return J(x,{children:[J(`button`,{ref:s,class:r,popovertarget:a,"aria-haspopup":`true`,children:[n&&J(Y,{name:n}),e,t>0&&J(`span`,{class:`badge`,children:t})]}),J(`div`,{ref:o,id:a,class:`menu`,popover:`auto`,role:`group`,"aria-label":e,onToggle:()=>{let e=s.current.getBoundingClientRect(),t=o.current.offsetWidth||220;o.current.style.top=`${Math.min(e.bottom+4,innerHeight-120)}px`,o.current.style.left=`${Math.max(8,Math.min(e.left,innerWidth-t-8))}px`},children:i})]})}var $i=[[`working`,`Agent at work`],[`asking`,`Agent asks`],[`failed`,`Agent failed`]];function ea({board:e}){let t=e.facts.value?.workspace,n=t?.members.nodes.flatMap(({user:e})=>e?[e]:[])??[];return J(`div`,{class:`filters`,role:`search`,"aria-label":`Filter the cards`,children:[J(`label`,{class:`field`,children:[J(Y,{name:`filter`}),J(`input`,{type:`search`,placeholder:`Filter cards`,"aria-label":`Filter cards by text`,value:Di.value,onInput:e=>Di.value=e.currentTarget.value})]}),$i.map(([e,t])=>J(`button`,{class:`pill agent-filter-${e}`,"aria-pressed":Ai.value.has(e),onClick:()=>Ni(Ai,e),children:[J(`span`,{class:`agent-dot`,"aria-hidden":`true`}),t]},e)),J(Qi,{label:`Labels`,count:ki.value.size,children:(t?.labels??[]).map(e=>J(`label`,{class:`choice`,children:[J(`input`,{type:`checkbox`,checked:ki.value.has(e.id),onChange:()=>Ni(ki,e.id)}),J(ui,{label:e})]},e.id))}),J(`div`,{class:`people-filter`,role:`group`,"aria-label":`Filter by people`,children:n.slice(0,8).map(e=>J(`button`,{class:`person`,"aria-pressed":Oi.value.has(e.id),"aria-label":`Only cards of ${oi(e)}`,onClick:()=>Ni(Oi,e.id),children:J(li,{person:e})},e.id))}),ji.value&&J(`button`,{class:`quiet`,onClick:Mi,children:`Clear`})]})}var ta=14,na=20,ra=new Set([`IDLE`,`SUCCEEDED`,`CANCELLED`]);function ia({board:e}){let t=e.facts.value;return t?J(`section`,{class:`board`,"aria-label":t.name,children:[J(ea,{board:e}),e.failure.value&&J(`p`,{class:`notice`,children:e.failure.value}),J(`p`,{id:`card-help`,class:`hidden`,children:`Enter opens the card. Space lifts it: the arrow keys choose a place, Space drops it, Escape puts it back.`}),J(`div`,{class:`columns`,onKeyDown:t=>ma(e,t),children:e.columns.value.map(t=>J(oa,{board:e,column:t},t.id))}),J(`p`,{class:`hidden`,role:`status`,children:Vi})]}):e.failure.value?J(`p`,{class:`page calm`,children:e.failure.value}):J(aa,{})}var aa=()=>J(`div`,{class:`columns skeleton`,"aria-busy":`true`,children:[5,3,4,2,3].map((e,t)=>J(`div`,{class:`column`,children:[J(`div`,{class:`column-head`}),J(`div`,{class:`cards`,children:Array.from({length:e},(e,t)=>J(`div`,{class:`card`},t))})]},t))});function oa({board:e,column:t}){let n=B(ta),r=B(!1),i=N(null),a=e.lanes.value.get(t.id)?.value??[],o=ji.value?a.filter(t=>Fi(e.cards.get(t).value)):a,s=o.slice(0,n.value),c=gt(()=>Z.value?.over?.columnId===t.id?Z.value.over.after:void 0),l=gt(()=>!Z.value||!Bi.value?``:Wi(t.stage,t.id)?`is-allowed`:`is-forbidden`),u=t.wipLimit!==null&&t.wipLimit!==void 0&&a.length>=t.wipLimit,d=s.length<o.length;return ke(()=>{if(!d||!i.current)return;let e=new IntersectionObserver(([e])=>{e?.isIntersecting&&(n.value+=na)},{rootMargin:`600px`});return e.observe(i.current),()=>e.disconnect()},[d,n.value]),J(`section`,{class:`column ${l.value}`,"data-column":t.id,"aria-labelledby":`head-${t.id}`,children:[J(`header`,{class:`column-head`,children:[J(ti,{stage:t.stage}),J(`h2`,{id:`head-${t.id}`,children:t.name}),J(`span`,{class:`count ${u?`is-full`:``}`,children:[ji.value?`${o.length} of ${a.length}`:a.length,t.wipLimit!=null&&J(`span`,{class:`limit`,children:[` / `,t.wipLimit]}),J(ai,{children:t.wipLimit==null?` cards`:` cards, at most ${t.wipLimit}`})]}),e.mayWrite.value&&J(`button`,{class:`quiet add`,"aria-label":`Add a card to ${t.name}`,onClick:()=>r.value=!0,children:J(Y,{name:`plus`})})]}),l.value===`is-forbidden`&&J(`p`,{class:`why`,children:Bi.value?.get(t.stage)?.reasons[0]?.message??`Not allowed from here.`}),J(`ul`,{class:`cards`,tabIndex:-1,children:[r.value&&J(ca,{board:e,column:t,close:()=>r.value=!1}),c.value===null&&J(sa,{}),s.map(t=>J(la,{board:e,id:t,isTarget:c.value===t},t)),d&&J(`li`,{ref:i,class:`more`,children:[o.length-s.length,` more`]}),o.length===0&&!r.value&&c.value===void 0&&J(`li`,{class:`none`,children:`No cards`})]})]})}var sa=()=>J(`li`,{class:`line`,role:`presentation`});function ca({board:e,column:t,close:n}){return J(`li`,{children:J(`form`,{class:`card new-card`,onSubmit:async r=>{r.preventDefault();let i=r.currentTarget,a=new FormData(i).get(`title`).trim();if(!a)return n();await e.create(t.id,a)&&i.reset()},onKeyDown:e=>e.key===`Escape`&&n(),children:J(`input`,{name:`title`,"aria-label":`Title of a new card in ${t.name}`,placeholder:`Title, then Enter`,maxLength:255,autoComplete:`off`,ref:e=>e?.focus(),onBlur:e=>!e.currentTarget.value.trim()&&n()})})})}var la=_i(function({board:e,id:t,isTarget:n}){let r=e.cards.get(t),i=gt(()=>Z.value?.id===t),a=gt(()=>qr.value===t);return r?J(x,{children:[J(`li`,{class:`card ${i.value?`is-lifted`:``} ${a.value?`is-open`:``}`,"data-card":t,onPointerDown:n=>Yi(e,t,n),onDragStart:e=>e.preventDefault(),children:J(ua,{board:e,card:r.value})}),n&&J(sa,{})]}):null});function ua({board:e,card:t}){let{done:n,total:r}=t.subtaskCount,i=t.openQuestions.length>0,a=t.activeRun?.progress,o=!ra.has(t.agentState)||t.activeRun;return J(`a`,{href:q(`boards`,e.id,t.id),"aria-describedby":`card-help`,draggable:!1,children:[J(`span`,{class:`card-top`,children:[J(`span`,{class:`card-name`,children:t.name}),t.parent&&J(`span`,{class:`card-parent`,children:t.parent.title}),J(`span`,{class:`people`,children:t.assignees.map(e=>J(li,{person:e},e.id))})]}),J(`span`,{class:`card-title`,children:t.title}),J(`span`,{class:`card-meta`,children:[J(`span`,{class:`priority-chip`,title:`${X(t.priority)} priority`,children:[J(ri,{priority:t.priority}),J(ai,{children:[X(t.priority),` priority`]})]}),t.labels.map(e=>J(ui,{label:e},e.id)),r>0&&J(`span`,{class:`chip ${n===r?`is-done`:``}`,children:[J(ii,{done:n,total:r}),n,`/`,r,J(ai,{children:` subtasks done`})]}),t.dueOn&&J(`span`,{class:`chip ${t.overdue?`is-late`:``}`,children:[J(Y,{name:`calendar`,size:13}),da(t.dueOn),t.overdue&&J(ai,{children:` overdue`})]}),t.messageCount>0&&J(`span`,{class:`chip`,children:[J(Y,{name:`comment`,size:13}),t.messageCount,J(ai,{children:` messages`})]})]}),(o||i)&&J(pi,{state:i?`WAITING_INPUT`:t.agentState,activity:t.agentActivity}),a?.todosTotal?J(`span`,{class:`bar`,"aria-hidden":`true`,children:J(`span`,{style:{inlineSize:`${100*(a.todosDone??0)/a.todosTotal}%`}})}):null]})}var da=e=>new Date(`${e}T00:00`).toLocaleDateString(void 0,{month:`short`,day:`numeric`}),fa=e=>e instanceof Element?e.closest(`[data-card]`):null,pa=e=>e?.querySelector(`a`)?.focus();function ma(e,t){let n=fa(t.target);if(!n||t.ctrlKey||t.metaKey||t.altKey)return;let r=n.dataset.card,i=t=>!ji.peek()||Fi(e.cards.get(t).peek());if(Z.peek()?.by===`keyboard`){if(t.key===`Escape`||t.key===`Tab`)Gi();else if(t.key===` `||t.key===`Enter`)Ki(e).then(()=>ha(r));else if(t.key.startsWith(`Arrow`))Zi(e,t.key,i);else return;t.preventDefault(),t.stopPropagation()}else{if(t.key===` `&&e.mayWrite.peek())Hi(e,r,`keyboard`),Vi.value=`${Z.peek()?.name} is lifted.`;else if(t.key===`ArrowDown`||t.key===`j`)pa(ga(n,1));else if(t.key===`ArrowUp`||t.key===`k`)pa(ga(n,-1));else if(t.key===`ArrowLeft`||t.key===`ArrowRight`)pa(_a(n,t.key===`ArrowRight`!=(document.dir===`rtl`)));else return;t.preventDefault()}}var ha=e=>{requestAnimationFrame(()=>pa(document.querySelector(`[data-card="${e}"]`)))};function ga(e,t){let n=[...e.parentElement.querySelectorAll(`[data-card]`)];return n[n.indexOf(e)+t]??null}function _a(e,t){let n=[...document.querySelectorAll(`[data-column]`)],r=e.getBoundingClientRect().top,i=n.indexOf(e.closest(`[data-column]`));for(;n[i+=t?1:-1];){let e=[...n[i].querySelectorAll(`[data-card]`)];if(e.length)return e.find(e=>e.getBoundingClientRect().bottom>r)??e.at(-1)}return null}var va=L(Date.now());setInterval(()=>{document.hidden||(va.value=Date.now())},1e3);var ya=[[`day`,86400],[`hour`,3600],[`minute`,60]],ba=new Intl.RelativeTimeFormat(void 0,{numeric:`auto`,style:`narrow`});function xa(e){let t=(Date.parse(e)-va.value)/1e3;for(let[e,n]of ya)if(Math.abs(t)>=n)return ba.format(Math.trunc(t/n),e);return`now`}var Sa=({at:e})=>J(`time`,{dateTime:e,title:new Date(e).toLocaleString(),children:xa(e)});function Ca(e){let t=Math.max(0,e/1e3);return t<10?`${t.toFixed(1)} s`:t<60?`${Math.round(t)} s`:t<3600?`${Math.floor(t/60)} min ${Math.floor(t%60)} s`:`${Math.floor(t/3600)} h ${Math.floor(t%3600/60)} min`}function wa({to:e,then:t}){let n=Math.max(0,Math.ceil((Date.parse(e)-va.value)/1e3));return J(`span`,{class:`countdown ${n<=20?`is-late`:``}`,role:`timer`,children:[Math.floor(n/60),`:`,String(n%60).padStart(2,`0`),` until `,t]})}var Ta=[`BACKLOG`,`PLAN`,`TODO`,`IN_PROGRESS`,`REVIEW`,`DONE`],Ea=e=>{let t={queued:0,active:0,waiting:0};for(let n of e.boards)t.queued+=n.queued+n.delayed,t.active+=n.active,t.waiting+=n.waiting;return t};function Da(){return J(`div`,{class:`page charts`,children:Cr.value.filter(({boards:e})=>e.nodes.length).map(({id:e,name:t})=>J(Oa,{id:e,name:t},e))})}function Oa({id:e,name:t}){let n=B(null),r=B([]),i=B([]);if(ke(()=>{let t=()=>{},a=!1,o=async()=>{let t=await G(Kt,{id:e});r.value=t.workers,n.value??=t.queue??null},s=()=>{t=Hn(qt,{id:e},{next:({queueFeed:e})=>{n.value=e,i.value=[...i.value,Ea(e)].slice(-120),o().catch(()=>{})},ended:()=>setTimeout(()=>!a&&s(),2e3)})};return o().catch(()=>{}),s(),()=>{a=!0,t()}},[e]),!n.value)return null;let a=n.value.boards;return J(`section`,{class:`chart-group`,"aria-labelledby":`charts-${e}`,children:[J(`h2`,{id:`charts-${e}`,children:t}),J(`div`,{class:`chart-grid`,children:[J(`figure`,{class:`panel`,children:[J(`figcaption`,{children:`Queue, as it changes`}),J(ja,{points:i.value}),J(Aa,{head:[`Board`,`Queued`,`At work`,`Waiting`,`Failed`],rows:a.map(e=>[e.board?.name,e.queued+e.delayed,e.active,e.waiting,e.dead])})]}),J(`figure`,{class:`panel`,children:[J(`figcaption`,{children:`Where the cards stand`}),a.map(e=>J(Ma,{name:e.board?.name??``,counts:e.board?.cardCounts??[]},e.boardId)),J(Aa,{head:[`Board`,...Ta.map(X)],rows:a.map(e=>[e.board?.name,...Ta.map(t=>ka(e.board?.cardCounts,t))])})]}),J(`figure`,{class:`panel`,children:[J(`figcaption`,{children:`Workers`}),J(Aa,{head:[`Worker`,`Status`,`Runs`,`Heard`],rows:r.value.map(e=>[e.name,J(`span`,{class:`worker worker-${e.status.toLowerCase()}`,children:[J(`span`,{class:`agent-dot`,"aria-hidden":`true`}),X(e.status)]}),`${e.held} / ${e.maxConcurrent}`,J(Sa,{at:e.heardAt})])}),r.value.length===0&&J(`p`,{class:`calm`,children:`No worker is registered.`})]})]})]})}var ka=(e,t)=>e?.find(e=>e.stage===t)?.count??0,Aa=({head:e,rows:t})=>J(`table`,{children:[J(`thead`,{children:J(`tr`,{children:e.map(e=>J(`th`,{scope:`col`,children:e},e))})}),J(`tbody`,{children:t.map(([e,...t],n)=>J(`tr`,{children:[J(`th`,{scope:`row`,children:e}),t.map((e,t)=>J(`td`,{children:e},t))]},n))})]});function ja({points:e}){let t=Math.max(4,...e.map(e=>Math.max(e.queued,e.active,e.waiting))),n=n=>e.map((r,i)=>`${i?`L`:`M`}${i*600/Math.max(1,e.length-1)} ${130-r[n]*120/t}`).join(``);return J(x,{children:[J(`svg`,{class:`depth`,viewBox:`0 0 600 140`,preserveAspectRatio:`none`,role:`img`,"aria-label":`Depth of the queue`,children:[[0,.5,1].map(e=>J(`path`,{class:`grid-line`,d:`M0 ${130-120*e}H600`},e)),J(`path`,{class:`line-waiting`,d:n(`waiting`)}),J(`path`,{class:`line-queued`,d:n(`queued`)}),J(`path`,{class:`line-active`,d:n(`active`)})]}),J(`p`,{class:`legend`,children:[J(`span`,{class:`is-active`,children:`At work`}),J(`span`,{class:`is-queued`,children:`Queued`}),J(`span`,{class:`is-waiting`,children:`Waiting for an answer`})]})]})}function Ma({name:e,counts:t}){return t.reduce((e,{count:t})=>e+t,0)?J(`div`,{class:`stage-bar`,children:[J(`span`,{children:e}),J(`div`,{role:`img`,"aria-label":t.map(({stage:e,count:t})=>`${X(e)} ${t}`).join(`, `),children:Ta.map(e=>{let n=ka(t,e);return n?J(`span`,{class:`stage-${e.toLowerCase()}`,style:{flexGrow:n},title:`${X(e)} ${n}`,children:n},e):null})})]}):null}async function Q(e,t,n,r){try{let i=Un((await G(t,n)).outcome);return i?hr(e,i,`refused`):r&&hr(r),i===null}catch(t){return hr(e,[t.message],`refused`),!1}}var Na=/(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*|\[[^\]]+\]\([^)\s]+\)|https?:\/\/[^\s<>)]+)/g;function Pa(e){return e.split(Na).map(e=>{if(e.startsWith("`"))return J(`code`,{children:e.slice(1,-1)});if(e.startsWith(`**`))return J(`strong`,{children:e.slice(2,-2)});if(/^\*[^*\s]/.test(e)&&e.endsWith(`*`))return J(`em`,{children:e.slice(1,-1)});let t=/^\[([^\]]+)\]\((https?:[^)\s]+)\)$/.exec(e)??(/^https?:/.test(e)?[e,e,e]:null);return t?J(`a`,{class:`link`,href:t[2],rel:`noopener noreferrer`,target:`_blank`,children:t[1]}):e})}function Fa(e){if(e.startsWith("```"))return J(`pre`,{tabIndex:0,children:e.replace(/^```[^\n]*\n?/,``).replace(/\n?```$/,``)});let t=/^#{1,6} (.*)$/s.exec(e);if(t)return J(`p`,{class:`heading`,children:Pa(t[1])});let n=e.split(`
`);return n.every(e=>/^\s*([-*]|\d+\.) /.test(e))?J(`ul`,{class:`bullets`,children:n.map(e=>J(`li`,{children:Pa(e.replace(/^\s*([-*]|\d+\.) /,``))}))}):J(`p`,{children:n.flatMap((e,t)=>t?[J(`br`,{}),...Pa(e)]:Pa(e))})}function Ia({text:e}){return J(`div`,{class:`markdown`,dir:`auto`,children:(e.match(/```[\s\S]*?(?:```|$)|(?:(?!\n\s*\n|\n?```)[\s\S])+/g)??[]).map(e=>e.trim()).filter(Boolean).map(Fa)})}function La({question:e,hasCard:t=!0}){let n=B(e.options.filter(e=>e.recommended).slice(0,1).map(e=>e.label)),r=B(``),i=B(!1),a=e.type===`MULTI`,o=e.type===`TEXT`||e.allowOther,s=(e,t)=>{a?n.value=t?[...n.value,e]:n.value.filter(t=>t!==e):n.value=[e]};return J(`form`,{class:`question`,onSubmit:async t=>{t.preventDefault(),i.value=!0;let o=r.value.trim();await Hr(e,o&&!a?[]:[...n.value],o).finally(()=>i.value=!1)},children:[J(`header`,{children:[J(`span`,{class:`agent agent-waiting_input`,children:[J(`span`,{class:`agent-dot`,"aria-hidden":`true`}),J(`span`,{class:`agent-state`,children:[e.askedBy?.name??`Somebody`,` asks`]})]}),J(Sa,{at:e.createdAt}),e.expiresAt&&J(wa,{to:e.expiresAt,then:e.defaultAnswer?.length?`“${e.defaultAnswer.join(`, `)}”`:`it expires`})]}),t&&e.card&&J(`a`,{class:`question-card`,href:q(`boards`,e.boardId,e.cardId),children:[J(`span`,{class:`card-name`,children:e.card.name}),` `,e.card.title]}),J(`fieldset`,{children:[J(`legend`,{children:e.text}),e.options.map(({label:t,description:i,recommended:o})=>J(`label`,{class:`option`,children:[J(`input`,{type:a?`checkbox`:`radio`,name:e.id,checked:n.value.includes(t)&&!(r.value.trim()&&!a),onChange:e=>s(t,e.currentTarget.checked)}),J(`span`,{children:[J(`strong`,{children:t}),o&&J(`em`,{children:` recommended`}),i&&J(`small`,{children:i})]})]},t)),o&&J(`input`,{"aria-label":e.options.length?`Another answer`:`Your answer`,placeholder:e.options.length?`Or in other words …`:`Your answer`,value:r.value,onInput:e=>r.value=e.currentTarget.value})]}),J(`button`,{class:`primary`,disabled:i.value||!(n.value.length||r.value.trim()),children:`Answer`})]})}var Ra=3,za=new Set([`QUEUED`,`CLAIMED`,`RUNNING`,`WAITING`]),Ba=e=>za.has(e.status),Va=({status:e})=>J(`span`,{class:`run-status run-${e.toLowerCase()}`,children:[J(`span`,{class:`agent-dot`,"aria-hidden":`true`}),X(e)]});function Ha({board:e,card:t}){let n=B(!1),r=t.runs.nodes,i=n.value?r:r.slice(0,Ra);return J(`section`,{"aria-labelledby":`runs`,children:[J(`h3`,{id:`runs`,children:`Runs`}),i.map(n=>J(`article`,{class:`run`,children:[J(`a`,{href:q(`boards`,e.id,t.id,n.id),children:[J(Va,{status:n.status}),J(`span`,{class:`grow`,children:[X(n.kind),n.profile&&` by ${n.profile.name}`]}),n.startedAt&&J(`span`,{class:`soft`,children:Ca((n.finishedAt?Date.parse(n.finishedAt):va.value)-Date.parse(n.startedAt))}),J(Sa,{at:n.createdAt})]}),(n.summary??n.failureReason)&&J(`p`,{class:`run-summary`,children:n.summary??n.failureReason}),Ba(n)&&n.whyNotRunning[0]&&J(`p`,{class:`run-summary`,children:n.whyNotRunning[0].message}),e.mayWrite.value&&J(Ua,{run:n,chosen:t.chosenRun?.id,isChoice:t.stage===`REVIEW`&&r.length>1})]},n.id)),i.length<r.length&&J(`button`,{class:`quiet`,onClick:()=>n.value=!0,children:[r.length-i.length,` earlier runs`]}),e.mayWrite.value&&J(Wa,{board:e,card:t})]})}function Ua({run:e,chosen:t,isChoice:n}){let{id:r,status:i}=e,a=!Ba(e),o=i===`FAILED`||i===`CANCELLED`,s=i===`RUNNING`||e.waitReason===`DECISION`;return J(`p`,{class:`actions`,children:[[{name:`Stop`,icon:`stop`,document:zt,when:!a&&!e.stopRequestedAt},{name:`Conclude`,icon:`check`,document:Bt,when:s},{name:`Resume`,icon:`play`,document:Ht,when:o},{name:`Retry`,icon:`retry`,document:Vt,when:a},{name:`Choose`,icon:`bolt`,document:Ut,when:i===`SUCCEEDED`&&n&&t!==r}].filter(({when:e})=>e).map(({name:e,icon:t,document:n})=>J(`button`,{class:`button`,onClick:()=>void Q(`${e}: not done`,n,{id:r}),children:[J(Y,{name:t,size:13}),` `,e]},e)),t===r&&J(`span`,{class:`chip is-done`,children:`Chosen`})]})}function Wa({board:e,card:t}){let n=B(``),r=B(new Set),i=t.stage===`REVIEW`,a=e.facts.value?.workspace?.agentProfiles.filter(({enabled:e})=>e)??[],o=n.value.trim(),s=async()=>{let e=r.value.size?[...r.value]:null;await Q(`The run was not started`,Rt,{input:{cardId:t.id,instruction:o||null,profileIds:e}},`A run is queued`)&&(n.value=``)},c=async()=>{let e=`${t.name} goes back with your feedback`;await Q(`The card was not sent back`,Wt,{id:t.id,feedback:o},e)&&(n.value=``)};return J(`form`,{class:`comment`,onSubmit:e=>e.preventDefault(),children:[J(`textarea`,{"aria-label":i?`Feedback, or an instruction`:`An instruction for the agent`,placeholder:i?`Feedback for the agent …`:`An instruction for the agent, if the card is not enough …`,rows:2,dir:`auto`,value:n.value,onInput:e=>n.value=e.currentTarget.value}),a.length>1&&J(`p`,{class:`actions`,role:`group`,"aria-label":`Agents`,children:a.map(({id:e,name:t})=>J(`button`,{type:`button`,class:`pill`,"aria-pressed":r.value.has(e),onClick:()=>{let t=new Set(r.value);t.delete(e)||t.add(e),r.value=t},children:t},e))}),J(`p`,{class:`actions`,children:[i&&J(`button`,{class:`button`,disabled:!o,onClick:()=>void c(),children:`Reject with feedback`}),J(`button`,{class:`button`,onClick:()=>void s(),children:[J(Y,{name:`play`,size:13}),` Start a run`]})]})]})}var Ga={CardCreated:`created the card`,CardArchived:`archived the card`,LabelAdded:`added the label`,LabelRemoved:`removed the label`,AssigneeAdded:`assigned`,AssigneeRemoved:`unassigned`,SubtaskCreated:`added the subtask`,SubtaskDeleted:`deleted the subtask`,QuestionAsked:`asked`,RunQueued:`queued a run`,RunClaimed:`took the run`,RunStarted:`began to work`,RunSucceeded:`finished the run`,RunFailed:`failed`},Ka=e=>Ga[e]??e.replace(/([a-z])([A-Z])/g,`$1 $2`).toLowerCase(),qa=e=>e==null||e===``?`nothing`:/^[A-Z_]+$/.test(e)?X(e):e;function Ja({type:e,changes:t,about:n}){if(e===`CardMoved`){let e=t.find(({field:e})=>/stage/i.test(e));return e?`moved the card from ${qa(e.before)} to ${qa(e.after)}`:`moved the card`}let[r]=t;if(r&&/Updated$/.test(e)){let e=r.field.replace(/([A-Z])/g,` $1`).toLowerCase();return(r.before?.length??0)+(r.after?.length??0)>80?`changed ${e}`:`changed ${e} from ${qa(r.before)} to ${qa(r.after)}`}return n?`${Ka(e)} ${n}`:Ka(e)}var Ya=({entries:e})=>J(`ol`,{class:`timeline`,children:e.map((e,t)=>J(`li`,{class:e.__typename===`TimelineMessage`?`message`:``,children:[J(`p`,{children:[J(`strong`,{children:e.actor.name}),` `,e.__typename===`TimelineChange`&&J(`span`,{dir:`auto`,children:Ja(e)}),` `,J(Sa,{at:e.at})]}),e.__typename===`TimelineMessage`&&e.message&&J(`div`,{class:`bubble`,children:e.message.deletedAt?J(`em`,{children:`Deleted`}):J(Ia,{text:e.message.body})})]},t))}),Xa=[`CRITICAL`,`HIGH`,`MEDIUM`,`LOW`,`NONE`],Za=[`FEATURE`,`BUG`,`CHORE`,`DOCS`,`REFACTOR`,`TEST`,`REVIEW`],Qa=[`SMALL`,`MEDIUM`,`LARGE`];function $a({board:e,open:t}){let n=N(null),r=()=>{Yr(`boards`,e.id),document.querySelector(`[data-card="${t.id}"] a`)?.focus()};ke(()=>n.current?.focus(),[t]);let i=t.detail.value;return J(`aside`,{ref:n,class:`drawer`,tabIndex:-1,"aria-label":i?`${i.name} ${i.title}`:`Card`,onKeyDown:e=>e.key===`Escape`&&!e.defaultPrevented&&r(),children:[J(`header`,{class:`drawer-head`,children:[J(`span`,{class:`card-name`,children:i?.name}),i?.parent&&J(`a`,{class:`card-parent`,href:q(`boards`,e.id,i.parent.id),children:i.parent.title}),J(`span`,{class:`grow`}),i&&e.mayWrite.value&&J(eo,{board:e,card:i}),J(`button`,{class:`quiet`,"aria-label":`Close the card`,onClick:r,children:J(Y,{name:`close`})})]}),t.failure.value&&J(`p`,{class:`notice`,children:t.failure.value}),i?J(to,{board:e,open:t,card:i}):J(`div`,{class:`drawer-wait`,"aria-busy":`true`})]})}var eo=({board:e,card:t})=>J(Qi,{label:`More`,class:`quiet`,children:[J(`button`,{class:`choice`,onClick:()=>void navigator.clipboard?.writeText(location.href),children:`Copy the link`}),J(`button`,{class:`choice danger`,onClick:async()=>{await Q(`The card was not archived`,Lt,{id:t.id},`${t.name} is archived`)&&Yr(`boards`,e.id)},children:`Archive`})]});function to({board:e,open:t,card:n}){let r=e.mayWrite.value,i=n.questions.nodes.filter(e=>e.status===`OPEN`);return J(`div`,{class:`drawer-body`,children:[J(no,{open:t,card:n,readOnly:!r},n.id),J(io,{board:e,open:t,card:n}),n.agentState!==`IDLE`&&J(pi,{state:n.agentState,activity:n.agentActivity}),i.map(e=>J(La,{question:e,hasCard:!1},e.id)),J(so,{open:t,card:n,readOnly:!r},`text ${n.id}`),J(co,{card:n,mayWrite:r}),J(lo,{title:`Part of it`,cards:n.children,board:e}),J(lo,{title:`Blocked by`,cards:n.blockedBy,board:e}),J(lo,{title:`Blocks`,cards:n.blocks,board:e}),J(Ha,{board:e,card:n}),J(uo,{card:n,mayWrite:r})]})}function no({open:e,card:t,readOnly:n}){let r=N(null),i=N(!1);ke(()=>{!i.current&&r.current&&(r.current.value=t.title)},[t.title]);let a=async()=>{let n=r.current.value.trim();i.current=!1,n&&n!==t.title&&await e.update({title:n})||(r.current.value=t.title)};return J(`textarea`,{ref:r,class:`drawer-title`,"aria-label":`Title`,rows:1,dir:`auto`,maxLength:255,readOnly:n,onInput:()=>i.current=!0,onBlur:()=>void a(),onKeyDown:e=>{e.key===`Enter`&&e.preventDefault(),e.key===`Escape`&&i.current&&(e.preventDefault(),e.currentTarget.value=t.title),(e.key===`Enter`||e.key===`Escape`)&&e.currentTarget.blur()}})}var ro=({name:e,children:t})=>J(`div`,{class:`property`,children:[J(`dt`,{children:e}),J(`dd`,{children:t})]});function io({board:e,open:t,card:n}){let r=!e.mayWrite.value,i=e.facts.value?.workspace,a=i?.members.nodes.flatMap(({user:e})=>e?[e]:[])??[],o=e.columns.value.find(({id:e})=>e===n.columnId),s=e=>n.moves.find(t=>t.stage===e&&!t.allowed)?.reasons[0]?.message;return J(`dl`,{class:`properties`,children:[J(ro,{name:`Stage`,children:J(Qi,{label:o?.name??X(n.stage),class:`value`,children:e.columns.value.map(t=>J(`button`,{class:`choice`,disabled:r||t.id===n.columnId||!!s(t.stage),title:s(t.stage),onClick:()=>void e.move(n.id,t.id,null),children:[J(ti,{stage:t.stage}),t.name]},t.id))})}),J(ro,{name:`Priority`,children:J(`span`,{class:`select`,children:[J(ri,{priority:n.priority}),J(ao,{isFixed:r,name:`Priority`,of:Xa,value:n.priority,change:e=>t.update({priority:e})})]})}),J(ro,{name:`People`,children:J(Qi,{label:n.assignees.map(oi).join(`, `)||`Nobody`,class:`value`,children:a.map(e=>{let t=n.assignees.some(({id:t})=>t===e.id),i=t?Mt:jt;return J(oo,{isOn:t,isFixed:r,change:()=>Q(`The people were not changed`,i,{cardId:n.id,userId:e.id}),children:[J(li,{person:e}),` `,oi(e)]},e.id)})})}),J(ro,{name:`Labels`,children:J(Qi,{label:n.labels.map(({name:e})=>e).join(`, `)||`None`,class:`value`,children:(i?.labels??[]).map(e=>{let t=n.labels.some(({id:t})=>t===e.id),i=t?At:kt;return J(oo,{isOn:t,isFixed:r,change:()=>Q(`The labels were not changed`,i,{cardId:n.id,labelId:e.id}),children:J(ui,{label:e})},e.id)})})}),J(ro,{name:`Due`,children:J(`input`,{type:`date`,"aria-label":`Due`,class:`value`,value:n.dueOn??``,disabled:r,onChange:e=>void t.update({dueOn:e.currentTarget.value||null})})}),J(ro,{name:`Type`,children:J(ao,{isFixed:r,name:`Type`,of:Za,value:n.type,change:e=>t.update({type:e})})}),J(ro,{name:`Size`,children:J(ao,{isFixed:r,name:`Size`,of:Qa,value:n.size??null,none:!0,change:e=>t.update({size:e})})}),J(ro,{name:`Points`,children:J(`input`,{type:`number`,"aria-label":`Story points`,min:0,max:99,class:`value`,placeholder:`None`,value:n.storyPoints??``,disabled:r,onChange:e=>{let n=e.currentTarget.value;t.update({storyPoints:n===``?null:Number(n)})}})})]})}function ao({name:e,of:t,value:n,none:r,isFixed:i,change:a}){return J(`select`,{"aria-label":e,value:n??``,disabled:i,onChange:e=>void a(e.currentTarget.value||null),children:[r&&J(`option`,{value:``,children:`None`}),t.map(e=>J(`option`,{value:e,children:X(e)},e))]})}var oo=({isOn:e,isFixed:t,change:n,children:r})=>J(`label`,{class:`choice`,children:[J(`input`,{type:`checkbox`,checked:e,disabled:t,onChange:()=>void n()}),r]});function so({open:e,card:t,readOnly:n}){let r=B(null);if(r.value===null)return J(`section`,{class:`description`,"aria-label":`Description`,children:[t.description?J(Ia,{text:t.description}):J(`p`,{class:`calm`,children:`No description.`}),!n&&J(`button`,{class:`quiet edit`,onClick:()=>r.value=t.description,children:`Edit`})]});let i=async()=>{await e.update({description:r.value})&&(r.value=null)};return J(`section`,{class:`description`,children:[J(`textarea`,{"aria-label":`Description, in Markdown`,rows:8,dir:`auto`,value:r.value,autoFocus:!0,onInput:e=>r.value=e.currentTarget.value,onKeyDown:e=>{e.key===`Escape`&&(e.preventDefault(),r.value=null),e.key===`Enter`&&(e.metaKey||e.ctrlKey)&&i()}}),J(`p`,{class:`actions`,children:[J(`button`,{class:`primary`,onClick:()=>void i(),children:`Keep`}),J(`button`,{class:`button`,onClick:()=>r.value=null,children:`Cancel`})]})]})}function co({card:e,mayWrite:t}){let{done:n,total:r}=e.subtaskCount,i=async t=>{t.preventDefault();let n=t.currentTarget,r=new FormData(n).get(`title`).trim();r&&await Q(`The subtask was not added`,Nt,{cardId:e.id,title:r})&&n.reset()};return J(`section`,{"aria-labelledby":`subtasks`,children:[J(`h3`,{id:`subtasks`,children:[`Subtasks`,r>0&&J(`span`,{class:`chip ${n===r?`is-done`:``}`,children:[J(ii,{done:n,total:r}),` `,n,`/`,r]})]}),J(`ul`,{class:`subtasks`,children:e.subtasks.map(e=>J(`li`,{children:[J(`label`,{class:e.completed?`is-done`:``,children:[J(`input`,{type:`checkbox`,checked:e.completed,disabled:!t,onChange:t=>void Q(`The subtask was not changed`,Pt,{id:e.id,completed:t.currentTarget.checked})}),J(`span`,{dir:`auto`,children:e.title}),e.phase&&J(`small`,{children:e.phase})]}),t&&J(`button`,{class:`quiet`,"aria-label":`Delete ${e.title}`,onClick:()=>void Q(`The subtask was not deleted`,Ft,{id:e.id}),children:J(Y,{name:`close`,size:13})})]},e.id))}),t&&J(`form`,{class:`inline`,onSubmit:e=>void i(e),children:J(`input`,{name:`title`,"aria-label":`A new subtask`,placeholder:`Add a subtask`,maxLength:255,autoComplete:`off`})})]})}function lo({title:e,cards:t,board:n}){return t.length?J(`section`,{children:[J(`h3`,{children:e}),J(`ul`,{class:`list`,children:t.map(e=>J(`li`,{children:J(`a`,{href:q(`boards`,n.id,e.id),children:[J(ti,{stage:e.stage}),J(`span`,{class:`card-name`,children:e.name}),J(`span`,{class:`grow`,children:e.title})]})},e.id))})]}):null}function uo({card:e,mayWrite:t}){let n=B(``),r=async t=>{t.preventDefault();let r=n.value.trim();r&&await Q(`The comment was not posted`,It,{cardId:e.id,body:r})&&(n.value=``)};return J(`section`,{"aria-labelledby":`history`,children:[J(`h3`,{id:`history`,children:`History`}),t&&J(`form`,{class:`comment`,onSubmit:e=>void r(e),children:[J(`textarea`,{"aria-label":`A comment, in Markdown`,placeholder:`Comment …`,rows:2,dir:`auto`,value:n.value,onInput:e=>n.value=e.currentTarget.value,onKeyDown:e=>e.key===`Enter`&&(e.metaKey||e.ctrlKey)&&void r(e)}),J(`button`,{class:`button`,disabled:!n.value.trim(),children:`Comment`})]}),J(Ya,{entries:e.timeline.nodes})]})}var fo={QUESTION_ASKED:`comment`,RUN_FAILED:`close`,RUN_SUCCEEDED:`check`,MENTIONED:`comment`};function po(){let e=Nr.value,t=e?.notifications.nodes??[],n=`Notification`in window&&Notification.permission==="default";return J(`div`,{class:`page inbox`,children:[J(`section`,{"aria-labelledby":`open-questions`,children:[J(`h2`,{id:`open-questions`,children:[`Questions `,J(`span`,{class:`count`,children:e?.questions.totalCount??``})]}),e&&Pr.value.length===0&&J(`p`,{class:`calm`,children:`No agent waits for an answer.`}),Pr.value.map(e=>J(La,{question:e},e.id))]}),J(`section`,{"aria-labelledby":`notifications`,children:[J(`header`,{children:[J(`h2`,{id:`notifications`,children:[`Notifications `,J(`span`,{class:`count`,children:e?.unreadCount||``})]}),n&&J(`button`,{class:`button`,onClick:()=>void Notification.requestPermission(),children:`Show them in this browser`}),!!e?.unreadCount&&J(`button`,{class:`button`,onClick:()=>void Ur(),children:`Mark all as read`})]}),e&&t.length===0&&J(`p`,{class:`calm`,children:`Nothing yet.`}),J(`ul`,{class:`list`,children:t.map(e=>J(`li`,{class:e.readAt?``:`is-unread`,children:J(`a`,{href:e.boardId?q(`boards`,e.boardId,e.cardId,e.runId):`#/inbox`,children:[J(Y,{name:fo[e.type]??`bell`}),J(`span`,{class:`grow`,children:[J(`strong`,{children:e.title}),` `,e.body]}),J(Sa,{at:e.createdAt})]})},e.id))})]})]})}var mo={inputTokens:0,outputTokens:0,cachedTokens:0,costUsd:0,contextUsed:null,contextWindow:null,model:null},ho=new Set([`RunStatusLine`,`RunAttempt`,`RunLimit`,`RunCommitLine`,`RunFileChanged`,`RunSubagent`,`RunQuestion`,`RunApproval`,`RunKnowledge`]),go=class{id;facts=L(null);failure=L(null);entries=[];changed=L(0);todos=L([]);totals=L(mo);isOver=L(!1);speed=L(null);byKey=new Map;used=new Map;arrived=[];frame;stop=()=>{};closed=!1;cursor=`0`;constructor(e){this.id=e,this.load(),this.listen()}close(){this.closed=!0,this.stop(),clearTimeout(this.frame)}async load(){try{let{run:e}=await G(Qt,{id:this.id});if(this.closed)return;this.facts.value=e??null,this.failure.value=e?null:`This run does not exist, or you may not see it.`}catch(e){this.failure.value=e.message}}replay(e){this.stop(),P(()=>{this.entries.length=this.arrived.length=0,this.byKey.clear(),this.used.clear(),this.todos.value=[],this.totals.value=mo,this.isOver.value=!1,this.speed.value=e,this.cursor=`0`,this.changed.value++}),this.listen()}listen(){let e=this.speed.peek(),t=e=>{this.arrived.push(e),this.frame??=setTimeout(()=>this.apply(),16)},n=e=>{this.closed||e===`NOT_FOUND`||e===`FORBIDDEN`||this.isOver.peek()||setTimeout(()=>!this.closed&&!this.isOver.peek()&&this.listen(),1e3)};this.stop=e===null?Hn($t,{id:this.id,after:this.cursor},{next:e=>t(e.runFeed),ended:n}):Hn(en,{id:this.id,speed:e,after:this.cursor===`0`?null:this.cursor},{next:e=>t(e.replayRun),ended:n})}apply(){this.frame=void 0;let e=performance.now()+8;P(()=>{let t=0;for(;t<this.arrived.length&&(t%32||performance.now()<e);)this.show(this.arrived[t++]);this.arrived.splice(0,t),this.changed.value++}),this.arrived.length&&(this.frame=setTimeout(()=>this.apply(),16))}entry(e,t,n){let r=this.byKey.get(e);if(r)return r.version++,r;let i={key:e,kind:t,at:n.at,agent:n.agent??null,text:``,version:0};return this.byKey.set(e,i),this.entries.push(i),i}show(e){switch(this.cursor=e.cursor,e.__typename){case`RunChunk`:return this.showChunk(e);case`RunOutput`:e.tool?this.addOutput(e.tool,e,e.text):this.entry(`${e.item}/${e.part}`,`text`,e).text=e.text;return;case`RunThinking`:this.entry(`${e.item}/${e.part}`,`thinking`,e).text=e.text;return;case`RunToolStarted`:{let t=this.entry(`tool ${e.tool??e.seq}`,`tool`,e),n=t.tool;t.text=e.text,t.tool={name:e.name??`tool`,kind:e.kind,input:e.input,status:n?.status??null,endedAt:n?.endedAt??null,output:n?.output??``};return}case`RunToolFinished`:{let t=this.tool(e.tool??String(e.seq),e);t.tool={...t.tool,status:e.result,endedAt:e.at},e.text&&!t.tool.output&&(t.tool.output=e.text.slice(-4e4));return}case`RunTodo`:this.todos.value=e.items;return;case`RunUsage`:return this.addUsage(e);case`RunPrompt`:this.entry(`line ${e.seq}`,`prompt`,e).text=e.text;return;case`RunEnded`:this.entry(`end`,`end`,e).text=e.summary??e.reason??e.status,this.isOver.value=!0,this.load();return;case`RunError`:case`RunWarning`:this.entry(`line ${e.seq}`,e.__typename===`RunError`?`error`:`warning`,e).text=e.text;return;default:this.note(e)}}note(e){let t=ho.has(e.__typename)?_o(e).trim():``;t&&this.entries.at(-1)?.text!==t&&(this.entry(`line ${e.seq}`,`note`,e).text=t)}showChunk(e){if(e.type===`OUTPUT`&&e.tool)return;let t=e.type===`THINKING`?`thinking`:`text`,n=this.entry(`${e.item}/${e.part}`,t,e);n.text=[...n.text].slice(0,e.offset).join(``)+e.chunk}tool(e,t){let n=this.entry(`tool ${e}`,`tool`,t);return n.tool??={name:`tool`,kind:`OTHER`,input:null,status:null,endedAt:null,output:``},n}addOutput(e,t,n){let r=this.tool(e,t),i=r.tool.output,a=i+(i&&!i.endsWith(`
`)?`
`:``)+n;r.tool={...r.tool,output:a.slice(-4e4)}}addUsage(e){this.used.set(`${e.attempt} ${e.agent??``} ${e.model??``}`,{inputTokens:e.inputTokens,outputTokens:e.outputTokens,cachedTokens:e.cachedTokens,costUsd:e.costUsd??0,contextUsed:e.contextUsed??null,contextWindow:e.contextWindow??null,model:e.model??null});let t={...mo};for(let e of this.used.values())t.inputTokens+=e.inputTokens,t.outputTokens+=e.outputTokens,t.cachedTokens+=e.cachedTokens,t.costUsd+=e.costUsd,t.contextUsed=e.contextUsed??t.contextUsed,t.contextWindow=e.contextWindow??t.contextWindow,t.model=e.model??t.model;this.totals.value=t}};function _o(e){if(e.__typename===`RunFileChanged`){let t=e.additions==null?``:` +${e.additions} −${e.deletions??0}`;return`${e.change.toLowerCase()} ${e.path}${t}`}return e.__typename===`RunCommitLine`?`${e.what.toLowerCase().replace(`_`,` `)} ${e.sha?.slice(0,8)??``} ${e.text}`:e.__typename===`RunSubagent`?`${e.name??`A sub-agent`} ${e.phase.toLowerCase()} ${e.text}`:e.__typename===`RunAttempt`?`attempt ${e.number} ${e.phase.toLowerCase()} ${e.text}`:`text`in e?e.text:``}var vo=600,yo=40,bo=class{estimate;known=[];starts=[0];constructor(e){this.estimate=e}set(e,t){return this.known[e]!==t&&(this.known[e]=t,this.starts.length=Math.min(this.starts.length,e+1),!0)}startOf(e){for(let t=this.starts.length;t<=e;t++)this.starts[t]=this.starts[t-1]+(this.known[t-1]??this.estimate);return this.starts[e]}at(e,t){let n=0,r=t;for(;n<r;){let t=n+r>>1;this.startOf(t+1)<=e?n=t+1:r=t}return n}};function xo({count:e,estimate:t,keyOf:n,row:r,label:i}){let[,a]=Oe(e=>e+1,0),o=N(null),s=N(!0),c=je(()=>new bo(t),[t]),l=je(()=>new ResizeObserver(e=>{let t=!1;for(let{target:n,borderBoxSize:r}of e){let e=Number(n.dataset.index);n.isConnected&&c.set(e,r[0].blockSize)&&(t=!0)}t&&a()}),[c]),u=o.current,d=u?.scrollTop??0,f=u?.clientHeight??800,p=c.startOf(e),m=s.current?Math.max(0,p-f):d,h=c.at(Math.max(0,m-vo),e),g=Math.min(e,c.at(m+f+vo,e)+1);Ae(()=>{s.current&&o.current&&(o.current.scrollTop=o.current.scrollHeight)});let _=[];for(let e=h;e<g;e++)_.push(J(`div`,{"data-index":e,role:`listitem`,ref:e=>void(e&&l.observe(e)),children:r(e)},n(e)));return J(`div`,{ref:o,class:`virtual`,tabIndex:0,role:`region`,"aria-label":i,onScroll:()=>{let{scrollTop:e,scrollHeight:t,clientHeight:n}=o.current;s.current=t-e-n<yo,a()},children:J(`div`,{style:{blockSize:`${p}px`},children:J(`div`,{role:`list`,style:{transform:`translateY(${c.startOf(h)}px)`},children:_})})})}var So=400;function Co(e){let t=[];for(let n of e.split(`
`))n.startsWith(`diff --git `)?t.push({path:n.replace(/^.* b\//,``),lines:[]}):t.at(-1)?.lines.push(n);return t}function wo({text:e,files:t}){let n=Co(e);return n.length?J(`div`,{class:`patch`,tabIndex:0,role:`region`,"aria-label":`Changes`,children:n.map(e=>J(Eo,{file:e},e.path))}):J(`p`,{class:`patch calm`,children:t.map(({path:e})=>e).join(`, `)||`No file was changed.`})}var To={"+":`is-added`,"-":`is-removed`,"@":`is-place`};function Eo({file:e}){let t=B(!1),n=e.lines.findIndex(e=>e.startsWith(`@@`)),r=n<0?e.lines:e.lines.slice(n),i=t.value?r:r.slice(0,So),a=e=>r.filter(t=>t.startsWith(e)).length;return J(`section`,{class:`file`,children:[J(`h3`,{children:[J(Y,{name:`file`,size:14}),J(`span`,{class:`grow`,children:e.path}),J(`span`,{class:`added`,children:[`+`,a(`+`)]}),J(`span`,{class:`removed`,children:[`−`,a(`-`)]})]}),J(`pre`,{tabIndex:0,children:i.map((e,t)=>J(`span`,{class:To[e[0]??``],children:[e,`
`]},t))}),i.length<r.length&&J(`button`,{class:`button`,onClick:()=>t.value=!0,children:[r.length-i.length,` more lines`]})]})}var Do=[1,5,20,100],Oo={DONE:`✓`,IN_PROGRESS:`◐`,PENDING:`○`,CANCELLED:`×`};function ko({board:e,id:t}){let n=je(()=>new go(t),[t]),r=B(`log`);ke(()=>()=>n.close(),[n]);let{id:i,count:a,type:o}=e.touched.value,s=n.facts.value?.card?.id;ke(()=>{i===s&&o!==`RunProgressed`&&n.load()},[i===s&&a]);let c=n.facts.value;return c?J(`section`,{class:`run-view`,"aria-label":`Run`,children:[J(Ao,{board:e,run:n,facts:c,shown:r.value,show:e=>r.value=e}),J(`div`,{class:`run-columns`,children:[r.value===`log`?J(jo,{run:n}):J(wo,{text:c.patch??``,files:c.changed}),J(Lo,{board:e,run:n,facts:c})]})]}):J(`p`,{class:`page calm`,children:n.failure.value??`Reading the run …`})}function Ao({board:e,run:t,facts:n,shown:r,show:i}){return J(`header`,{class:`run-head`,children:[J(`a`,{class:`quiet`,href:q(`boards`,e.id,n.card?.id),"aria-label":`Back to the card`,children:J(Y,{name:`chevron`})}),J(`div`,{class:`grow`,children:J(`h2`,{children:[J(`span`,{class:`card-name`,children:n.card?.name}),` `,n.card?.title]})}),J(Va,{status:n.status}),J(`div`,{class:`tabs`,role:`group`,"aria-label":`Show`,children:[J(`button`,{class:`pill`,"aria-pressed":r===`log`,onClick:()=>i(`log`),children:`Log`}),J(`button`,{class:`pill`,"aria-pressed":r===`changes`,onClick:()=>i(`changes`),children:[`Changes`,n.changed.length>0&&` ${n.changed.length}`]})]}),!Ba(n)&&J(`div`,{class:`tabs`,role:`group`,"aria-label":`Replay`,children:[J(Y,{name:`play`}),Do.map(e=>J(`button`,{class:`pill`,"aria-pressed":t.speed.value===e,"aria-label":`Replay ${e} times as fast`,onClick:()=>t.replay(t.speed.value===e?null:e),children:[e,`×`]},e))]})]})}function jo({run:e}){let t=B(new Set);e.changed.value;let{entries:n}=e,r=e=>{let n=new Set(t.value);n.delete(e)||n.add(e),t.value=n};return n.length?J(xo,{label:`Log`,count:n.length,estimate:52,keyOf:e=>n[e].key,row:e=>J(No,{entry:n[e],isOpen:t.value.has(n[e].key),toggle:r})}):J(`p`,{class:`virtual calm`,children:e.isOver.value?`The log is empty.`:`Nothing yet.`})}var Mo={note:`bolt`,warning:`bell`,error:`close`,end:`check`};function No({entry:e,isOpen:t,toggle:n}){let{kind:r,text:i,agent:a}=e;return J(`article`,{class:`entry entry-${r} ${a?`is-nested`:``}`,children:[a&&J(`span`,{class:`entry-agent`,children:a}),r===`text`||r===`prompt`?J(Ia,{text:i}):r===`thinking`?J(Po,{title:`Thought`,hint:i.slice(0,120),isOpen:t,toggle:()=>n(e.key),children:t&&J(Ia,{text:i})}):e.tool?J(Io,{entry:e,isOpen:t,toggle:n}):J(`p`,{class:`note`,children:[J(Y,{name:Mo[r]??`bolt`,size:13}),J(`span`,{dir:`auto`,children:i})]})]})}var Po=({title:e,hint:t,end:n,isOpen:r,toggle:i,children:a})=>J(x,{children:[J(`button`,{class:`fold`,"aria-expanded":r,onClick:i,children:[J(Y,{name:`chevron`,size:13}),J(`span`,{class:`fold-title`,children:e}),J(`span`,{class:`grow soft`,children:t}),n]}),a]});function Fo(e,t){if(e&&typeof e==`object`){let t=e;for(let e of[`command`,`file_path`,`path`,`pattern`,`query`,`url`,`description`,`prompt`])if(typeof t[e]==`string`)return t[e]}return t}function Io({entry:e,isOpen:t,toggle:n}){let r=e.tool,i=r.status===null,a=(r.endedAt?Date.parse(r.endedAt):i?va.value:0)-Date.parse(e.at),o=r.output.split(`
`);return J(`div`,{class:`tool tool-${(r.status??`running`).toLowerCase()}`,children:J(Po,{title:r.name,hint:Fo(r.input,e.text),isOpen:t,toggle:()=>n(e.key),end:J(`span`,{class:`tool-end`,children:[J(`span`,{class:`agent-dot`,"aria-hidden":`true`}),i?`runs`:X(r.status),` `,a>0&&Ca(a)]}),children:[t&&r.input!=null&&J(`pre`,{tabIndex:0,children:JSON.stringify(r.input,null,2)}),r.output&&J(`pre`,{tabIndex:0,children:t?r.output:o.slice(-4).join(`
`)})]})})}function Lo({board:e,run:t,facts:n}){let r=t.totals.value,i=e=>e.toLocaleString(),a=n.startedAt&&Date.parse(n.startedAt),o=n.finishedAt?Date.parse(n.finishedAt):va.value,s=r.contextWindow&&Math.round(100*(r.contextUsed??0)/r.contextWindow),c=[[`Time`,a&&Ca(o-a)],[`Tokens in`,i(r.inputTokens)],[`Tokens out`,i(r.outputTokens)],[`From cache`,r.cachedTokens&&i(r.cachedTokens)],[`Cost`,r.costUsd&&`$${r.costUsd.toFixed(3)}`],[`Context`,s&&`${s}%`],[`Model`,r.model],[`Branch`,n.branch],[`Worker`,n.worker?.name],[`Attempt`,n.attempt]].filter(([,e])=>e);return J(`aside`,{class:`run-aside`,"aria-label":`About the run`,children:[e.mayWrite.value&&J(Ua,{run:n,isChoice:n.siblings.length>0}),n.questions.filter(({status:e})=>e===`OPEN`).map(e=>J(La,{question:e,hasCard:!1},e.id)),n.whyNotRunning.map(({message:e})=>J(`p`,{class:`calm`,children:e},e)),(n.summary??n.failureReason)&&J(`section`,{children:[J(`h3`,{children:n.summary?`Summary`:`Failure`}),J(Ia,{text:n.summary??n.failureReason})]}),t.todos.value.length>0&&J(`section`,{children:[J(`h3`,{children:`Plan`}),J(`ol`,{class:`todos`,children:t.todos.value.map(({key:e,state:t,text:n})=>J(`li`,{class:`todo-${t.toLowerCase()}`,children:[J(`span`,{"aria-hidden":`true`,children:Oo[t]}),J(`span`,{dir:`auto`,children:n}),J(`span`,{class:`hidden`,children:X(t)})]},e))})]}),J(`section`,{children:[J(`h3`,{children:`Figures`}),J(`dl`,{class:`figures`,children:c.map(([e,t])=>J(`div`,{children:[J(`dt`,{children:e}),J(`dd`,{children:t})]},e))})]}),n.warnings.map(e=>J(`p`,{class:`warning`,children:e},e)),n.siblings.length>0&&J(`section`,{children:[J(`h3`,{children:`Beside it`}),J(`ul`,{class:`list`,children:n.siblings.map(t=>J(`li`,{children:J(`a`,{href:q(`boards`,e.id,n.card?.id,t.id),children:[J(Va,{status:t.status}),J(`span`,{class:`grow`,children:t.profile?.name??X(t.kind)}),J(Sa,{at:t.createdAt})]})},t.id))})]})]})}var Ro=120,zo=12,Bo=L(!1),Vo=e=>e instanceof HTMLElement&&/^(INPUT|TEXTAREA|SELECT)$/.test(e.tagName);addEventListener(`keydown`,e=>{let t=e.key===`/`&&!Vo(e.target)&&!e.ctrlKey&&!e.metaKey,n=e.key.toLowerCase()===`k`&&(e.ctrlKey||e.metaKey);(t||n)&&(e.preventDefault(),Bo.value=!0)});function Ho({board:e}){let t=N(null);return ke(()=>{Bo.value&&!t.current?.open&&t.current?.showModal(),Bo.value||t.current?.close()},[Bo.value]),J(`dialog`,{ref:t,class:`search`,"aria-label":`Search`,onClose:()=>Bo.value=!1,onClick:e=>e.target===t.current&&t.current?.close(),children:Bo.value&&J(Uo,{board:e})})}function Uo({board:e}){let t=B(``),n=B([]),r=B(0),i=t.value.trim().toLowerCase();ke(()=>{if(r.value=0,!i){n.value=[];return}let e=setTimeout(async()=>{let{cards:e}=await G(Et,{text:i});n.value=e.nodes.map(e=>({...e,key:e.id,path:[`boards`,e.boardId,e.id]}))},Ro);return()=>clearTimeout(e)},[i]);let a=e?[...e.cards.values()].map(e=>e.peek()).filter(e=>i&&`${e.name} ${e.title}`.toLowerCase().includes(i)).map(t=>({key:t.id,name:t.name,title:t.title,stage:t.stage,path:[`boards`,e.id,t.id]})):[],o=[...wr.value.map(({id:e,key:t,name:n})=>({key:e,name:t,title:n,path:[`boards`,e]})),{key:`inbox`,name:``,title:`Inbox`,path:[`inbox`]},{key:`charts`,name:``,title:`Charts`,path:[`charts`]}].filter(({name:e,title:t})=>`${e} ${t}`.toLowerCase().includes(i)),s=new Set(a.map(({key:e})=>e)),c=[...a,...n.value.filter(({key:e})=>!s.has(e)),...o].slice(0,zo),l=e=>{e&&(Bo.value=!1,Yr(...e.path))};return J(x,{children:[J(`label`,{class:`search-field`,children:[J(Y,{name:`search`}),J(`input`,{role:`combobox`,"aria-label":`Search cards and boards`,"aria-expanded":`true`,"aria-controls":`hits`,"aria-activedescendant":c[r.value]&&`hit-${r.value}`,placeholder:`A card, a board …`,autoComplete:`off`,value:t.value,ref:e=>e?.focus(),onInput:e=>t.value=e.currentTarget.value,onKeyDown:e=>{let t=e.key===`ArrowDown`?1:e.key===`ArrowUp`?-1:0;if(t)r.value=(r.value+t+c.length)%Math.max(1,c.length);else if(e.key===`Enter`)l(c[r.value]);else return;e.preventDefault()}})]}),J(`ul`,{id:`hits`,role:`listbox`,"aria-label":`Found`,children:[c.map((e,t)=>J(`li`,{id:`hit-${t}`,role:`option`,"aria-selected":t===r.value,onPointerMove:()=>r.value=t,onClick:()=>l(e),children:[e.stage?J(ti,{stage:e.stage}):J(Y,{name:`board`}),e.name&&J(`span`,{class:`card-name`,children:e.name}),J(`span`,{class:`grow`,children:e.title})]},e.key)),!c.length&&J(`li`,{class:`none`,role:`option`,"aria-selected":`false`,children:`Nothing found`})]})]})}function Wo({why:e}){let t=B(e),n=B(!1);return J(`main`,{class:`signin`,children:J(`form`,{onSubmit:async e=>{e.preventDefault();let r=new FormData(e.currentTarget);n.value=!0,t.value=await _n(r.get(`username`),r.get(`password`)),n.value=!1},children:[J(`img`,{src:new URL(new URL(`signal-Du6hEsRn.svg`,import.meta.url).href,``+import.meta.url).href,alt:``,width:`40`,height:`40`}),J(`h1`,{children:`Signalbox`}),J(`p`,{children:[`Open the link that the server printed. `,J(`code`,{children:`python server.py link`}),` prints a new one (`,J(`code`,{children:`link --demo`}),` for the demo).`]}),t.value&&J(`p`,{class:`refused`,role:`alert`,children:t}),J(`label`,{children:[`Username`,J(`input`,{name:`username`,autoComplete:`username`,required:!0})]}),J(`label`,{children:[`Password`,J(`input`,{name:`password`,type:`password`,autoComplete:`current-password`,required:!0})]}),J(`button`,{class:`primary`,disabled:n.value,children:`Sign in`}),J(`a`,{href:`graphql`,children:`GraphiQL`})]})})}var $=L(null),Go=L(!1);z(()=>{let e=pn.value?Kr.value:null,t=$.peek();t?.id!==e&&(t?.close(),$.value=e?new br(e):null)});var Ko=L(null);z(()=>{let e=qr.value,t=$.value,n=Ko.peek();(n?.id!==e||n?.board!==t)&&(n?.close(),Ko.value=e&&t?new Ar(t,e):null)}),z(()=>{pn.value?Tr():xr.value=null}),z(()=>{let[e]=wr.value;e&&Gr.value===``&&Xr(`boards`,e.id)});function qo({why:e}){return pn.value?J(`div`,{class:`frame ${Go.value?`has-menu`:``}`,children:[J(`a`,{class:`skip`,href:`#main`,onClick:e=>(e.preventDefault(),document.getElementById(`main`)?.focus()),children:`To the board`}),J(Yo,{}),J(`main`,{id:`main`,tabIndex:-1,children:[J(es,{}),J(ns,{}),J(Jo,{})]}),$.value&&Ko.value&&!Jr.value&&J($a,{board:$.value,open:Ko.value}),J(Ho,{board:$.value}),J(rs,{})]}):J(Wo,{why:e})}function Jo(){let e=$.value;return Gr.value===`inbox`?J(po,{}):Gr.value===`charts`?J(Da,{}):e?Jr.value?J(ko,{board:e,id:Jr.value},Jr.value):J(ia,{board:e},e.id):null}function Yo(){return J(`nav`,{class:`side`,"aria-label":`Boards`,onClick:()=>Go.value=!1,children:[J(`div`,{class:`brand`,children:[J(`img`,{src:new URL(new URL(`signal-Du6hEsRn.svg`,import.meta.url).href,``+import.meta.url).href,alt:``,width:`22`,height:`22`}),`Signalbox`]}),J(`ul`,{children:[J(`li`,{children:J(`button`,{class:`quiet row`,onClick:()=>Bo.value=!0,children:[J(Y,{name:`search`}),J(`span`,{class:`grow`,children:`Search`}),J(`kbd`,{children:`/`})]})}),J(`li`,{children:J(`a`,{href:`#/inbox`,"aria-current":Gr.value===`inbox`?`page`:void 0,children:[J(Y,{name:`inbox`}),J(`span`,{class:`grow`,children:`Inbox`}),Ir.value>0&&J(`span`,{class:`badge`,children:Ir})]})}),J(`li`,{children:J(`a`,{href:`#/charts`,"aria-current":Gr.value===`charts`?`page`:void 0,children:[J(Y,{name:`chart`}),`Charts`]})})]}),Cr.value.filter(e=>e.boards.nodes.length).map(e=>J(`section`,{children:[J(`h2`,{children:e.name}),J(`ul`,{children:e.boards.nodes.map(e=>J(`li`,{children:J(`a`,{href:q(`boards`,e.id),"aria-current":Kr.value===e.id?`page`:void 0,children:[J(`span`,{class:`key`,children:e.key}),J(`span`,{class:`grow`,children:e.name})]})},e.id))})]},e.id)),Sr.value&&J(`p`,{class:`notice`,children:Sr.value}),J(`div`,{class:`foot`,children:[J(`a`,{href:`graphql`,children:[J(Y,{name:`code`}),`GraphiQL`]}),J(Zo,{}),J(Qo,{})]})]})}var Xo={system:`light`,light:`dark`,dark:`system`},Zo=()=>J(`button`,{class:`quiet row`,onClick:()=>Dr.value=Xo[Dr.value],children:[J(Y,{name:Dr.value===`light`?`sun`:Dr.value===`dark`?`moon`:`half`}),Dr.value===`system`?`System theme`:Dr.value===`light`?`Light theme`:`Dark theme`]});function Qo(){let e=xr.value?.viewer.user;return J(`div`,{class:`me`,children:[e&&J(li,{person:e}),J(`span`,{class:`grow`,children:e?oi(e):pn.value}),J(`button`,{class:`quiet`,onClick:()=>void vn().then(()=>Yr()),children:`Sign out`})]})}var $o={inbox:`Inbox`,charts:`Charts`};function es(){let e=$.value?.facts.value;return J(`header`,{class:`top`,children:[J(`button`,{class:`quiet menu-button`,"aria-label":`Boards`,"aria-expanded":Go.value,onClick:()=>Go.value=!Go.value,children:J(Y,{name:`menu`})}),J(`div`,{class:`title`,children:[J(`h1`,{children:$o[Gr.value]??e?.name??`Signalbox`}),Gr.value===`boards`&&e?.description&&J(`p`,{children:e.description})]}),J(ts,{})]})}function ts(){let e=Ln.value;return J(`span`,{class:`live live-${e}`,title:$.value?`Event ${$.value.seq.value}`:void 0,children:[J(`span`,{class:`agent-dot`,"aria-hidden":`true`}),e===`open`?`Live`:e===`lost`?`Offline`:`Connecting`]})}function ns(){return gt(()=>Ln.value===`lost`).value?J(`p`,{class:`banner`,role:`status`,children:`The connection to the server is lost. The board goes on from where it was as soon as the server answers.`}):null}var rs=()=>J(`div`,{class:`toasts`,role:`region`,"aria-label":`Messages`,"aria-live":`polite`,children:pr.value.map(({id:e,title:t,details:n,kind:r})=>J(`div`,{class:`toast toast-${r}`,children:[J(`strong`,{children:t}),n.map(e=>J(`p`,{children:e},e)),J(`button`,{class:`quiet`,"aria-label":`Dismiss`,onClick:()=>gr(e),children:J(Y,{name:`close`,size:14})})]},e))});pe(J(qo,{why:await gn()}),document.getElementById(`page`));