(function(){let e=document.createElement(`link`).relList;if(e&&e.supports&&e.supports(`modulepreload`))return;for(let e of document.querySelectorAll(`link[rel="modulepreload"]`))n(e);new MutationObserver(e=>{for(let t of e)if(t.type===`childList`)for(let e of t.addedNodes)e.tagName===`LINK`&&e.rel===`modulepreload`&&n(e)}).observe(document,{childList:!0,subtree:!0});function t(e){let t={};return e.integrity&&(t.integrity=e.integrity),e.referrerPolicy&&(t.referrerPolicy=e.referrerPolicy),t.credentials=e.crossOrigin===`use-credentials`?`include`:e.crossOrigin===`anonymous`?`omit`:`same-origin`,t}function n(e){if(e.ep)return;e.ep=!0;let n=t(e);fetch(e.href,n)}})();var e,t,n,r,i,a,o,s,c,l,u=Symbol.for(`pv`),d={},f=[],p=/^m(i|n|o|s|text|space)$/,m=Array.isArray,h=f.slice,g=Object.assign;function _(e){e&&e.parentNode&&e.remove()}function v(n,r,i,a,o){var s={type:n,props:r,key:i,ref:a,__k:null,__:null,__b:0,__e:null,__c:null,constructor:u,__v:o||++t,__i:-1,__u:0};return!o&&e.vnode&&e.vnode(s),s}function y(e){return e.children}function b(e,t){this.props=e,this.context=t,this.__g=0}function x(e,t){if(t==null)return e.__&&x(e.__,e.__i+1);for(var n;t<e.__k.length;t++)if((n=e.__k[t])&&n.__e)return n.__e;return typeof e.type!=`function`||e.props.__P?null:x(e)}function S(t){var n,r=t.__v,i=r.__e,a=[],o=[],s=t.__P;s&&((n=g({constructor:u},r)).__v=r.__v+1,e.vnode&&e.vnode(n),ie(s,n,r,t.__n,s.namespaceURI,32&r.__u?[i]:null,a,i||x(r),32&r.__u,o),n.__v=r.__v,n.__.__k[n.__i]=n,se(a,n,o),r.__=r.__e=null,n.__e!=i&&C(n))}function C(e){if((e=e.__)&&e.__c&&!e.props.__P)return e.__e=null,e.__k.some(function(t){return t&&(e.__e=t.__e)}),C(e)}function w(t){(8&t.__g||(t.__g|=8,n.push(t),i++))&&r==e.debounceRendering||((r=e.debounceRendering)||queueMicrotask)(T)}function T(){try{for(var e,t=1;n.length;)n.length>t&&n.sort(a),e=n.shift(),t=n.length,8&e.__g&&S(e)}finally{(i=n.length)&&(r||queueMicrotask)(T)}}function E(e,t,n,r,i,a,o,s,c,l,u){var p,m,h,g,_,v,y=r.__k||f,b=t.length;for(c=D(n,t,y,c,b),p=0;p<b;p++)(h=n.__k[p])!=null&&(m=~h.__i&&y[h.__i]||d,h.__i=p,v=ie(e,h,m,i,a,o,s,c,l,u),g=h.__e,(m.ref!=h.ref||8&m.__u)&&(m.ref&&le(m.ref,null,h,m),h.ref&&u.push(h.ref,h.__c||g,h)),_||=g,4&h.__u?(c=O(h,c,e,!m.__v),m.__e&&(m.__e=null)):typeof h.type==`function`&&v!==void 0?c=v:g&&(c=g.nextSibling),h.__u&=-21);return n.__e=_,c}function D(e,t,n,r,i){var a,o,s,c,l,d,f,p,h,g=n.length,_=g,b=0,S=0,C=e.__k=Array(i);for(a=0;a<i;a++)(o=t[a])!=null&&typeof o!=`boolean`&&typeof o!=`function`?(typeof o!=`object`||o.constructor===String?o=C[a]=v(null,o):m(o)?o=C[a]=v(y,{children:o}):o.constructor===u&&o.__b?o=C[a]=v(o.type,o.props,o.key,o.ref,o.__v):C[a]=o,c=a+b,o.__=e,o.__b=e.__b+1,s=null,~(l=o.__i=ee(o,n,c,_))&&(_--,(s=n[l])&&(s.__u|=2)),s&&s.__v?(o.__u|=16,l==c-1?b--:l==c+1?b++:l!=c&&(l>c?b--:b++,S=1)):(~l||(i>g?b--:i<g&&b++),typeof o.type!=`function`&&(o.__u|=4))):C[a]=null;if(S){for(d=[],f=[],a=0;a<i;a++)if((o=C[a])&&16&o.__u){for(b=0,p=d.length;b<p;)d[h=b+p>>1]<o.__i?b=h+1:p=h;d[b]=o.__i,f[a]=b+1}for(b=d.length;a--;)f[a]&&(f[a]==b?b--:C[a].__u|=4)}if(_)for(a=0;a<g;a++)!(s=n[a])||2&s.__u||(s.__e==r&&(r=x(s)),ue(s,s));return r}function O(e,t,n,r){var i,a,o,s;if(typeof e.type==`function`){if(e.props.__P)return t;if(i=e.__k)for(a=0;a<i.length;a++)i[a]&&(i[a].__=e,t=O(i[a],t,n,!1));return t}for(t&&!t.parentNode&&(t=x(e))&&!t.parentNode&&(t=null),o=e.__e,s=t;s&&s.nodeType==8;)s=s.nextSibling;for(o!=s&&(!r&&n.moveBefore&&o.parentNode?n.moveBefore(o,t):n.insertBefore(o,t||null)),t=o;(t&&=t.nextSibling)&&t.nodeType==8&&!t.data.startsWith(`$s`););return t}function ee(e,t,n,r){var i,a=e.key,o=e.type,s=t[n],c=s&&!(2&s.__u);if(s===null&&a==null||c&&a==s.key&&o==s.type)return n;if(r>+!!c){for(i=n-1;i>=0;i--)if((s=t[i])&&!(2&s.__u)&&a==s.key&&o==s.type)return i;for(i=n+1;i<t.length;i++)if((s=t[i])&&!(2&s.__u)&&a==s.key&&o==s.type)return i}return-1}function te(e,t,n){n??=``,t[0]==`-`?e.setProperty(t,n):e[t]=n}function ne(e,t,n,r,i){var a,o;if(t==`style`){if(typeof n==`string`)e.style.cssText=n;else{if(typeof r==`string`&&(e.style.cssText=r=``),r)for(t in r)n&&t in n||te(e.style,t);if(n)for(t in n)r&&n[t]==r[t]||te(e.style,t,n[t])}}else if(t[0]==`o`&&t[1]==`n`)typeof n!=`function`&&(n=null),typeof r!=`function`&&(r=null),(e.__e||={})[t]=n,n&&r||(o=l[t]||(l[t]=re(t)),(e.__a||={})[t]=c,a=t!=(t=t.replace(s,`$1`)),(t=t.slice(2))[0]<`a`&&(t=t.toLowerCase()),n?e.addEventListener(t,o,a):e.removeEventListener(t,o,a));else{if(i==`http://www.w3.org/2000/svg`)t=t.replace(/xlink(H|:h)/,`h`).replace(/sName$/,`s`);else if(t!=`width`&&t!=`height`&&t!=`href`&&t!=`list`&&t!=`form`&&t!=`tabIndex`&&t!=`download`&&t!=`rowSpan`&&t!=`colSpan`&&t!=`role`&&t!=`popover`&&t in e)try{e[t]=n??``;return}catch{}if(typeof n==`function`)return;n==null||!1===n&&t[4]!=`-`?e.removeAttribute(t):e.setAttribute(t,t==`popover`&&n==1?``:n)}}function re(t){return function(n){var r=this.__e;if(r){if(r=r[t],n[o]==null)n[o]=c++;else if(n[o]<this.__a[t])return;return r(e.event?e.event(n):n)}}}function ie(t,n,r,i,a,o,s,c,l,d){var p,h,v,S,C,w,T,D,O,ee,te,ne,re,ie,se,le,fe,k,A=n.type;if(n.constructor!==u)return null;128&r.__u&&(l=32&r.__u,p=r.__c.__z)&&(n.__u|=l,h=o=[],p.nodeType==8?c=ae(p,o):o.push(p),c=o[0]||c),(p=e.__b)&&p(n);e:if(typeof A==`function`){v=s.length;try{if(D=n.props,O=(p=A.prototype)&&p.render,ee=(p=A.contextType)&&i[p.__c],te=p?ee?ee.props.value:p.__:i,(S=r.__c)?(n.__c=S,2&S.__g&&(S.__g|=1)):(O?n.__c=S=new A(D,te):(n.__c=S=new b(D,te),S.constructor=A,S.render=de),ee&&ee.sub(S),S.state||(S.state={}),S.__n=i,S.__g|=8,S.__h=[],S.__k=[]),O&&(S.__s||(S.__s=S.state),A.getDerivedStateFromProps&&(S.__s==S.state&&(S.__s=g({},S.__s)),g(S.__s,A.getDerivedStateFromProps(D,S.__s)))),C=S.props,w=S.state,S.__v=n,r.__c){if(D!==C&&O&&!A.getDerivedStateFromProps&&S.componentWillReceiveProps&&S.componentWillReceiveProps(D,te),n.__v==r.__v&&!(8&S.__g)||!(4&S.__g)&&S.shouldComponentUpdate&&!1===S.shouldComponentUpdate(D,S.__s,te)){n.__v!=r.__v&&(S.props=D,S.state=S.__s,S.__g&=-9),n.__e=r.__e,n.__k=r.__k,n.__k.some(function(e){e&&(e.__=n)}),f.push.apply(S.__h,S.__k),S.__k=[],S.__h.length&&s.push(S),c=x(r);break e}S.componentWillUpdate&&S.componentWillUpdate(D,S.__s,te),O&&S.componentDidUpdate&&S.__h.push(function(){S.componentDidUpdate(C,w,T)})}else O&&!A.getDerivedStateFromProps&&S.componentWillMount&&S.componentWillMount(),O&&S.componentDidMount&&S.__h.push(S.componentDidMount);S.context=te,S.props=D,S.__P=t,S.__g&=-5,ne=e.__r,re=O?25:0;do S.__g&=-9,ne&&ne(n),p=S.render(S.props,S.state=S.__s,S.context);while(8&S.__g&&++re<25);O&&(f.push.apply(S.__h,S.__k),S.__k=[]),S.state=S.__s,S.getChildContext&&(i=g({},i,S.getChildContext())),O&&r.__c&&S.getSnapshotBeforeUpdate&&(T=S.getSnapshotBeforeUpdate(C,w)),ie=p&&p.type===y&&p.key==null?p.props.children:p,D.__P&&(p=c,a=(t=D.__P).namespaceURI,l=o=null,r.props&&r.props.__P!=t&&(r.__k.some(function(e){e&&ue(e,e)}),r.__k=null),c=r.__k?x(r,0):null),c=E(t,m(ie)?ie:[ie],n,r,i,a,o,s,c,l,d),D.__P&&(n.__e=null,c=p),n.__u&=-161,h&&h.some(_),S.__h.length&&s.push(S),1&S.__g&&(S.__g&=-4)}catch(t){if(s.length=v,n.__v=null,l||o){if(t&&t.then){if(n.__u|=128|l,o){for(~(fe=o.indexOf(c||void 0))||(fe=o.length);(k=o[fe-1])&&k.nodeType==8;)fe--;for(;fe<o.length;fe++)if(k=o[fe]){if(o[fe]=null,se){if(k==le)break}else{if(k.nodeType!=8)break;k.data.startsWith(`$s`)&&(le=ae(se=k))}}}if(!se){for(;c&&c.nodeType==8&&c.nextSibling;)c=c.nextSibling;se=c}(p=ae(se=n.__c.__z||(n.__c.__z=se)))?(n.__e=se,c=p):n.__e=c,c&&=c.nextSibling}else o&&o.some(_)}else n.__e=r.__e;n.__k||=r.__k||[],t&&t.then||oe(n),e.__e(t,n,r)}}else c=n.__e=ce(r.__e,n,r,i,a,o,s,l,d,t);return(p=e.diffed)&&p(n),c}function ae(e,t){if(e&&e.nodeType==8&&e.data.startsWith(`$s`))for(var n=1;e=e.nextSibling;){if(e.nodeType==8){if(e.data.startsWith(`$s`))n++;else if(e.data.startsWith(`/$s`)&&!--n)return e}t&&t.push(e)}}function oe(e){e&&(e.__c&&(e.__c.__g|=4),e.__k&&e.__k.some(oe))}function se(t,n,r){for(var i=0;i<r.length;)le(r[i++],r[i++],r[i++]);e.__c&&e.__c(n,t),t.some(function(n){try{t=n.__h,n.__h=[],t.some(function(e){e.call(n)})}catch(t){e.__e(t,n.__v)}})}function ce(t,n,r,i,a,o,s,c,l,u){var f,g,v,y,b,S,C,w,T=r.props||d,D=n.props,O=n.type;if(O==`svg`?a=`http://www.w3.org/2000/svg`:O==`math`?a=`http://www.w3.org/1998/Math/MathML`:a||=`http://www.w3.org/1999/xhtml`,o){for(f=0;f<o.length;f++)if((b=o[f])&&(O?b.localName==O:b.nodeType==3)){t=b,o[f]=null;break}}if(!t){if(w=u.ownerDocument||document,!O)return w.createTextNode(D);t=w.createElementNS(a,O,D.is?D:u),c&&=(e.__m&&e.__m(n,o),!1),o=null}if(O){if(u=O==`template`&&t.content||t,o=O==`textarea`&&D.defaultValue!=null?null:o&&h.call(u.childNodes),!c&&o)for(T={},f=0;f<t.attributes.length;f++)T[(b=t.attributes[f]).name]=b.value;for(f in T)b=T[f],f==`dangerouslySetInnerHTML`?v=b:f==`children`||f in D||f==`value`&&`defaultValue`in D||f==`checked`&&`defaultChecked`in D||ne(t,f,null,b,a);for(f in D)b=D[f],f==`children`?y=b:f==`dangerouslySetInnerHTML`?g=b:f==`value`?S=b:f==`checked`?C=b:c&&typeof b!=`function`||T[f]===b||ne(t,f,b,T[f],a);g?(c||v&&(g.__html==v.__html||g.__html==t.innerHTML)||(t.innerHTML=g.__html),n.__k=[]):(v&&(t.textContent=``),(O==`foreignObject`||a==`http://www.w3.org/1998/Math/MathML`&&p.test(O))&&(a=`http://www.w3.org/1999/xhtml`),E(u,m(y)?y:[y],n,r,i,a,o,s,o?o[0]:r.__k&&x(r,0),c,l),o&&o.some(_)),c&&O!=`textarea`||(f=`value`,O==`progress`&&S==null?t.removeAttribute(f):S==null||S===t[f]&&(O!=`progress`||S)||ne(t,f,S,T[f],a),f=`checked`,C!=null&&C!=t[f]&&ne(t,f,C,T[f],a))}else T===D||c&&t.data==D||(t.data=D);return t}function le(t,n,r,i){try{typeof t==`function`?n?n.__x=t(n)||1:(i&&=i.__c||i.__e)&&(n=i.__x)&&(i.__x=null,typeof n==`function`?n():t(null)):t.current=n}catch(t){e.__e(t,r)}}function ue(t,n,r){var i,a,o,s;if(e.unmount&&e.unmount(t),!(i=t.ref)||i.current&&i.current!=t.__e||le(i,null,n,t),i=t.__c){if(i.componentWillUnmount)try{i.componentWillUnmount()}catch(t){e.__e(t,n)}i.__P=i.__n=null}if(i=t.__k)for(s=0;s<i.length;s++)i[s]&&ue(i[s],n,typeof t.type!=`function`||r&&!t.props.__P);!r&&(i=t.__c)&&(i=i.__z)&&(a=ae(i,o=[]))&&(i==t.__e&&o.some(_),_(a),_(i)),r||_(t.__e),t.__e=t.__c=t.__=null}function de(e,t,n){return this.constructor(e,n)}function fe(t,n){var r,i,a,o;e.__&&e.__(t,n),n.nodeType==9&&(n=n.documentElement),i=(r=t&&32&t.__u)?null:n.__k,n.__k=v(y,{children:[t]}),a=[],o=[],ie(n,n.__k,i||d,d,n.namespaceURI,i?null:n.firstChild?h.call(n.childNodes):null,a,i?i.__e:n.firstChild,r,o),se(a,n.__k,o),n.__k.props.children=null}e={__e:function(e,t,n,r){for(var a,o,s;t=t.__;)if((a=t.__c)&&!(1&a.__g)){a.__g|=4;try{if((s=(o=a.constructor)&&o.getDerivedStateFromError)&&a.setState(o.getDerivedStateFromError(e)),a.componentDidCatch&&(a.componentDidCatch(e,r||{}),s=1),s&&8&a.__g)return void(a.__g|=2)}catch(t){e=t}}throw i=0,e}},t=0,b.prototype.setState=function(e,t){var n=this.__s;n&&n!=this.state||(n=this.__s=g({},this.state)),typeof e==`function`&&(e=e(g({},n),this.props)),e&&(g(n,e),this.__v&&(t&&this.__k.push(t),w(this)))},b.prototype.forceUpdate=function(e){this.__v&&(this.__g|=4,e&&this.__h.push(e),w(this))},b.prototype.render=y,n=[],i=0,a=function(e,t){return e.__v.__b-t.__v.__b},o=Symbol(),s=/(PointerCapture)$|Capture$/i,c=0,l={};var k,A,pe,me,he,ge,_e,ve,ye,be,xe,Se=Symbol.for(`pv`),Ce={},we=[],Te=/^m(i|n|o|s|text|space)$/,Ee=Array.isArray,De=we.slice,Oe=Object.assign;function ke(e){e&&e.parentNode&&e.remove()}function Ae(e,t,n){var r,i,a,o={},s=arguments.length;for(a in t)a==`key`?r=t[a]:a==`ref`&&typeof e!=`function`?i=t[a]:o[a]=t[a];return s>2&&(o.children=s>3?De.call(arguments,2):n),je(e,o,r,i,null)}function je(e,t,n,r,i){var a={type:e,props:t,key:n,ref:r,__k:null,__:null,__b:0,__e:null,__c:null,constructor:Se,__v:i||++A,__i:-1,__u:0};return!i&&k.vnode&&k.vnode(a),a}function j(e){return e.children}function Me(e,t){this.props=e,this.context=t,this.__g=0}function Ne(e,t){if(t==null)return e.__&&Ne(e.__,e.__i+1);for(var n;t<e.__k.length;t++)if((n=e.__k[t])&&n.__e)return n.__e;return typeof e.type!=`function`||e.props.__P?null:Ne(e)}function Pe(e){var t,n=e.__v,r=n.__e,i=[],a=[],o=e.__P;o&&((t=Oe({constructor:Se},n)).__v=n.__v+1,k.vnode&&k.vnode(t),Ke(o,t,n,e.__n,o.namespaceURI,32&n.__u?[r]:null,i,r||Ne(n),32&n.__u,a),t.__v=n.__v,t.__.__k[t.__i]=t,Ye(i,t,a),n.__=n.__e=null,t.__e!=r&&Fe(t))}function Fe(e){if((e=e.__)&&e.__c&&!e.props.__P)return e.__e=null,e.__k.some(function(t){return t&&(e.__e=t.__e)}),Fe(e)}function Ie(e){(8&e.__g||(e.__g|=8,me.push(e),ge++))&&he==k.debounceRendering||((he=k.debounceRendering)||queueMicrotask)(Le)}function Le(){try{for(var e,t=1;me.length;)me.length>t&&me.sort(_e),e=me.shift(),t=me.length,8&e.__g&&Pe(e)}finally{(ge=me.length)&&(he||queueMicrotask)(Le)}}function Re(e,t,n,r,i,a,o,s,c,l,u){var d,f,p,m,h,g,_=r.__k||we,v=t.length;for(c=ze(n,t,_,c,v),d=0;d<v;d++)(p=n.__k[d])!=null&&(f=~p.__i&&_[p.__i]||Ce,p.__i=d,g=Ke(e,p,f,i,a,o,s,c,l,u),m=p.__e,(f.ref!=p.ref||8&f.__u)&&(f.ref&&Ze(f.ref,null,p,f),p.ref&&u.push(p.ref,p.__c||m,p)),h||=m,4&p.__u?(c=Be(p,c,e,!f.__v),f.__e&&(f.__e=null)):typeof p.type==`function`&&g!==void 0?c=g:m&&(c=m.nextSibling),p.__u&=-21);return n.__e=h,c}function ze(e,t,n,r,i){var a,o,s,c,l,u,d,f,p,m=n.length,h=m,g=0,_=0,v=e.__k=Array(i);for(a=0;a<i;a++)(o=t[a])!=null&&typeof o!=`boolean`&&typeof o!=`function`?(typeof o!=`object`||o.constructor===String?o=v[a]=je(null,o):Ee(o)?o=v[a]=je(j,{children:o}):o.constructor===Se&&o.__b?o=v[a]=je(o.type,o.props,o.key,o.ref,o.__v):v[a]=o,c=a+g,o.__=e,o.__b=e.__b+1,s=null,~(l=o.__i=He(o,n,c,h))&&(h--,(s=n[l])&&(s.__u|=2)),s&&s.__v?(o.__u|=16,l==c-1?g--:l==c+1?g++:l!=c&&(l>c?g--:g++,_=1)):(~l||(i>m?g--:i<m&&g++),typeof o.type!=`function`&&(o.__u|=4))):v[a]=null;if(_){for(u=[],d=[],a=0;a<i;a++)if((o=v[a])&&16&o.__u){for(g=0,f=u.length;g<f;)u[p=g+f>>1]<o.__i?g=p+1:f=p;u[g]=o.__i,d[a]=g+1}for(g=u.length;a--;)d[a]&&(d[a]==g?g--:v[a].__u|=4)}if(h)for(a=0;a<m;a++)!(s=n[a])||2&s.__u||(s.__e==r&&(r=Ne(s)),Qe(s,s));return r}function Be(e,t,n,r){var i,a,o,s;if(typeof e.type==`function`){if(e.props.__P)return t;if(i=e.__k)for(a=0;a<i.length;a++)i[a]&&(i[a].__=e,t=Be(i[a],t,n,!1));return t}for(t&&!t.parentNode&&(t=Ne(e))&&!t.parentNode&&(t=null),o=e.__e,s=t;s&&s.nodeType==8;)s=s.nextSibling;for(o!=s&&(!r&&n.moveBefore&&o.parentNode?n.moveBefore(o,t):n.insertBefore(o,t||null)),t=o;(t&&=t.nextSibling)&&t.nodeType==8&&!t.data.startsWith(`$s`););return t}function Ve(e,t){return t||=[],e!=null&&typeof e!=`boolean`&&(Ee(e)?e.some(function(e){Ve(e,t)}):t.push(e)),t}function He(e,t,n,r){var i,a=e.key,o=e.type,s=t[n],c=s&&!(2&s.__u);if(s===null&&a==null||c&&a==s.key&&o==s.type)return n;if(r>+!!c){for(i=n-1;i>=0;i--)if((s=t[i])&&!(2&s.__u)&&a==s.key&&o==s.type)return i;for(i=n+1;i<t.length;i++)if((s=t[i])&&!(2&s.__u)&&a==s.key&&o==s.type)return i}return-1}function Ue(e,t,n){n??=``,t[0]==`-`?e.setProperty(t,n):e[t]=n}function We(e,t,n,r,i){var a,o;if(t==`style`){if(typeof n==`string`)e.style.cssText=n;else{if(typeof r==`string`&&(e.style.cssText=r=``),r)for(t in r)n&&t in n||Ue(e.style,t);if(n)for(t in n)r&&n[t]==r[t]||Ue(e.style,t,n[t])}}else if(t[0]==`o`&&t[1]==`n`)typeof n!=`function`&&(n=null),typeof r!=`function`&&(r=null),(e.__e||={})[t]=n,n&&r||(o=xe[t]||(xe[t]=Ge(t)),(e.__a||={})[t]=be,a=t!=(t=t.replace(ye,`$1`)),(t=t.slice(2))[0]<`a`&&(t=t.toLowerCase()),n?e.addEventListener(t,o,a):e.removeEventListener(t,o,a));else{if(i==`http://www.w3.org/2000/svg`)t=t.replace(/xlink(H|:h)/,`h`).replace(/sName$/,`s`);else if(t!=`width`&&t!=`height`&&t!=`href`&&t!=`list`&&t!=`form`&&t!=`tabIndex`&&t!=`download`&&t!=`rowSpan`&&t!=`colSpan`&&t!=`role`&&t!=`popover`&&t in e)try{e[t]=n??``;return}catch{}if(typeof n==`function`)return;n==null||!1===n&&t[4]!=`-`?e.removeAttribute(t):e.setAttribute(t,t==`popover`&&n==1?``:n)}}function Ge(e){return function(t){var n=this.__e;if(n){if(n=n[e],t[ve]==null)t[ve]=be++;else if(t[ve]<this.__a[e])return;return n(k.event?k.event(t):t)}}}function Ke(e,t,n,r,i,a,o,s,c,l){var u,d,f,p,m,h,g,_,v,y,b,x,S,C,w,T,E,D,O=t.type;if(t.constructor!==Se)return null;128&n.__u&&(c=32&n.__u,u=n.__c.__z)&&(t.__u|=c,d=a=[],u.nodeType==8?s=qe(u,a):a.push(u),s=a[0]||s),(u=k.__b)&&u(t);e:if(typeof O==`function`){f=o.length;try{if(_=t.props,v=(u=O.prototype)&&u.render,y=(u=O.contextType)&&r[u.__c],b=u?y?y.props.value:u.__:r,(p=n.__c)?(t.__c=p,2&p.__g&&(p.__g|=1)):(v?t.__c=p=new O(_,b):(t.__c=p=new Me(_,b),p.constructor=O,p.render=$e),y&&y.sub(p),p.state||(p.state={}),p.__n=r,p.__g|=8,p.__h=[],p.__k=[]),v&&(p.__s||(p.__s=p.state),O.getDerivedStateFromProps&&(p.__s==p.state&&(p.__s=Oe({},p.__s)),Oe(p.__s,O.getDerivedStateFromProps(_,p.__s)))),m=p.props,h=p.state,p.__v=t,n.__c){if(_!==m&&v&&!O.getDerivedStateFromProps&&p.componentWillReceiveProps&&p.componentWillReceiveProps(_,b),t.__v==n.__v&&!(8&p.__g)||!(4&p.__g)&&p.shouldComponentUpdate&&!1===p.shouldComponentUpdate(_,p.__s,b)){t.__v!=n.__v&&(p.props=_,p.state=p.__s,p.__g&=-9),t.__e=n.__e,t.__k=n.__k,t.__k.some(function(e){e&&(e.__=t)}),we.push.apply(p.__h,p.__k),p.__k=[],p.__h.length&&o.push(p),s=Ne(n);break e}p.componentWillUpdate&&p.componentWillUpdate(_,p.__s,b),v&&p.componentDidUpdate&&p.__h.push(function(){p.componentDidUpdate(m,h,g)})}else v&&!O.getDerivedStateFromProps&&p.componentWillMount&&p.componentWillMount(),v&&p.componentDidMount&&p.__h.push(p.componentDidMount);p.context=b,p.props=_,p.__P=e,p.__g&=-5,x=k.__r,S=v?25:0;do p.__g&=-9,x&&x(t),u=p.render(p.props,p.state=p.__s,p.context);while(8&p.__g&&++S<25);v&&(we.push.apply(p.__h,p.__k),p.__k=[]),p.state=p.__s,p.getChildContext&&(r=Oe({},r,p.getChildContext())),v&&n.__c&&p.getSnapshotBeforeUpdate&&(g=p.getSnapshotBeforeUpdate(m,h)),C=u&&u.type===j&&u.key==null?u.props.children:u,_.__P&&(u=s,i=(e=_.__P).namespaceURI,c=a=null,n.props&&n.props.__P!=e&&(n.__k.some(function(e){e&&Qe(e,e)}),n.__k=null),s=n.__k?Ne(n,0):null),s=Re(e,Ee(C)?C:[C],t,n,r,i,a,o,s,c,l),_.__P&&(t.__e=null,s=u),t.__u&=-161,d&&d.some(ke),p.__h.length&&o.push(p),1&p.__g&&(p.__g&=-4)}catch(e){if(o.length=f,t.__v=null,c||a){if(e&&e.then){if(t.__u|=128|c,a){for(~(E=a.indexOf(s||void 0))||(E=a.length);(D=a[E-1])&&D.nodeType==8;)E--;for(;E<a.length;E++)if(D=a[E]){if(a[E]=null,w){if(D==T)break}else{if(D.nodeType!=8)break;D.data.startsWith(`$s`)&&(T=qe(w=D))}}}if(!w){for(;s&&s.nodeType==8&&s.nextSibling;)s=s.nextSibling;w=s}(u=qe(w=t.__c.__z||(t.__c.__z=w)))?(t.__e=w,s=u):t.__e=s,s&&=s.nextSibling}else a&&a.some(ke)}else t.__e=n.__e;t.__k||=n.__k||[],e&&e.then||Je(t),k.__e(e,t,n)}}else s=t.__e=Xe(n.__e,t,n,r,i,a,o,c,l,e);return(u=k.diffed)&&u(t),s}function qe(e,t){if(e&&e.nodeType==8&&e.data.startsWith(`$s`))for(var n=1;e=e.nextSibling;){if(e.nodeType==8){if(e.data.startsWith(`$s`))n++;else if(e.data.startsWith(`/$s`)&&!--n)return e}t&&t.push(e)}}function Je(e){e&&(e.__c&&(e.__c.__g|=4),e.__k&&e.__k.some(Je))}function Ye(e,t,n){for(var r=0;r<n.length;)Ze(n[r++],n[r++],n[r++]);k.__c&&k.__c(t,e),e.some(function(t){try{e=t.__h,t.__h=[],e.some(function(e){e.call(t)})}catch(e){k.__e(e,t.__v)}})}function Xe(e,t,n,r,i,a,o,s,c,l){var u,d,f,p,m,h,g,_,v=n.props||Ce,y=t.props,b=t.type;if(b==`svg`?i=`http://www.w3.org/2000/svg`:b==`math`?i=`http://www.w3.org/1998/Math/MathML`:i||=`http://www.w3.org/1999/xhtml`,a){for(u=0;u<a.length;u++)if((m=a[u])&&(b?m.localName==b:m.nodeType==3)){e=m,a[u]=null;break}}if(!e){if(_=l.ownerDocument||document,!b)return _.createTextNode(y);e=_.createElementNS(i,b,y.is?y:l),s&&=(k.__m&&k.__m(t,a),!1),a=null}if(b){if(l=b==`template`&&e.content||e,a=b==`textarea`&&y.defaultValue!=null?null:a&&De.call(l.childNodes),!s&&a)for(v={},u=0;u<e.attributes.length;u++)v[(m=e.attributes[u]).name]=m.value;for(u in v)m=v[u],u==`dangerouslySetInnerHTML`?f=m:u==`children`||u in y||u==`value`&&`defaultValue`in y||u==`checked`&&`defaultChecked`in y||We(e,u,null,m,i);for(u in y)m=y[u],u==`children`?p=m:u==`dangerouslySetInnerHTML`?d=m:u==`value`?h=m:u==`checked`?g=m:s&&typeof m!=`function`||v[u]===m||We(e,u,m,v[u],i);d?(s||f&&(d.__html==f.__html||d.__html==e.innerHTML)||(e.innerHTML=d.__html),t.__k=[]):(f&&(e.textContent=``),(b==`foreignObject`||i==`http://www.w3.org/1998/Math/MathML`&&Te.test(b))&&(i=`http://www.w3.org/1999/xhtml`),Re(l,Ee(p)?p:[p],t,n,r,i,a,o,a?a[0]:n.__k&&Ne(n,0),s,c),a&&a.some(ke)),s&&b!=`textarea`||(u=`value`,b==`progress`&&h==null?e.removeAttribute(u):h==null||h===e[u]&&(b!=`progress`||h)||We(e,u,h,v[u],i),u=`checked`,g!=null&&g!=e[u]&&We(e,u,g,v[u],i))}else v===y||s&&e.data==y||(e.data=y);return e}function Ze(e,t,n,r){try{typeof e==`function`?t?t.__x=e(t)||1:(r&&=r.__c||r.__e)&&(t=r.__x)&&(r.__x=null,typeof t==`function`?t():e(null)):e.current=t}catch(e){k.__e(e,n)}}function Qe(e,t,n){var r,i,a,o;if(k.unmount&&k.unmount(e),!(r=e.ref)||r.current&&r.current!=e.__e||Ze(r,null,t,e),r=e.__c){if(r.componentWillUnmount)try{r.componentWillUnmount()}catch(e){k.__e(e,t)}r.__P=r.__n=null}if(r=e.__k)for(o=0;o<r.length;o++)r[o]&&Qe(r[o],t,typeof e.type!=`function`||n&&!e.props.__P);!n&&(r=e.__c)&&(r=r.__z)&&(i=qe(r,a=[]))&&(r==e.__e&&a.some(ke),ke(i),ke(r)),n||ke(e.__e),e.__e=e.__c=e.__=null}function $e(e,t,n){return this.constructor(e,n)}k={__e:function(e,t,n,r){for(var i,a,o;t=t.__;)if((i=t.__c)&&!(1&i.__g)){i.__g|=4;try{if((o=(a=i.constructor)&&a.getDerivedStateFromError)&&i.setState(a.getDerivedStateFromError(e)),i.componentDidCatch&&(i.componentDidCatch(e,r||{}),o=1),o&&8&i.__g)return void(i.__g|=2)}catch(t){e=t}}throw ge=0,e}},A=0,pe=function(e){return e!=null&&e.constructor===Se},Me.prototype.setState=function(e,t){var n=this.__s;n&&n!=this.state||(n=this.__s=Oe({},this.state)),typeof e==`function`&&(e=e(Oe({},n),this.props)),e&&(Oe(n,e),this.__v&&(t&&this.__k.push(t),Ie(this)))},Me.prototype.forceUpdate=function(e){this.__v&&(this.__g|=4,e&&this.__h.push(e),Ie(this))},Me.prototype.render=j,me=[],ge=0,_e=function(e,t){return e.__v.__b-t.__v.__b},ve=Symbol(),ye=/(PointerCapture)$|Capture$/i,be=0,xe={};var et,M,tt,nt,rt=Object.is,it=0,at=[],ot=[],N=k,st=N.__b,ct=N.__r,lt=N.diffed,ut=N.__c,dt=N.unmount,ft=N.__;function pt(e,t){N.__h&&N.__h(M,e,it||t),it=0;var n=M.__H||(M.__H={__:[],__h:[]});return e>=n.__.length&&n.__.push({}),n.__[e]}function mt(e){return it=5,ht(function(){return{current:e}},[])}function ht(e,t){var n=pt(et++,7);return St(n.__H,t)&&(n.__=e(),n.__H=t),n.__}function gt(){var e;do{for(;e=ot.shift();)try{bt(e)}catch(t){N.__e(t,{__:(e=e.__P)&&e.__v})}for(;e=at.shift();){var t=e.__H;if(e.__P&&t)try{t.__h.some(bt),t.__h.some(xt),t.__h=[]}catch(n){t.__h=[],N.__e(n,e.__v)}}}while(ot.length)}N.__b=function(e){M=null,st&&st(e)},N.__=function(e,t){e&&t.__k&&t.__k.__m&&(e.__m=t.__k.__m),ft&&ft(e,t)},N.__r=function(e){ct&&ct(e),et=0;var t=(M=e.__c).__H;t&&(tt==M?M.__h=[]:(t.__h.some(bt),t.__h.some(xt),et=0),t.__h=[],t.__.some(function(e){e.__N&&(e.__=e.__N),e.u=e.__N=void 0})),tt=M},N.diffed=function(e){lt&&lt(e);var t=e.__c;t&&t.__H&&(t.__H.__h.length&&yt(at.push(t)),t.__H.__.some(function(e){e.u&&(e.__H=e.u)})),tt=M=null},N.__c=function(e,t){t.some(function(e){try{e.__h.some(bt),e.__h=e.__h.filter(function(e){return!e.__||xt(e)})}catch(t){e.__h=[function(){throw t}]}}),ut&&ut(e,t)},N.unmount=function(e){dt&&dt(e);var t,n,r=e.__c;r&&r.__H&&(r.__H.__.some(function(r){try{if(r.__P&&r.__c){if(n===void 0){for(n=e.__;n&&(!n.__c||!n.__c.__P);)n=n.__;n&&=n.__c}r.__P=n,yt(ot.push(r))}else bt(r)}catch(e){t=e}}),r.__H=void 0,t&&N.__e(t,r.__v))};var _t=typeof requestAnimationFrame==`function`;function vt(e){var t,n=function(){clearTimeout(r),_t&&cancelAnimationFrame(t),setTimeout(e)},r=setTimeout(n,35);_t&&(t=requestAnimationFrame(n))}function yt(e){e!=1&&nt==N.requestAnimationFrame||((nt=N.requestAnimationFrame)||vt)(gt)}function bt(e){var t=M,n=e.__c;typeof n==`function`&&(e.__c=void 0,n()),M=t}function xt(e){var t=M;e.__c=e.__(),M=t}function St(e,t){return!e||e.length!=t.length||t.some(function(t,n){return!rt(t,e[n])})}var Ct=Symbol.for(`preact-signals`);function wt(){if(Ot>1)Ot--;else{var e,t=!1;for((function(){var e=Mt;for(Mt=void 0;e!==void 0;){var t=e.S;if(t.v===e.v)for(var n=t.t;n!==void 0;n=n.x)n.i===e.i&&(n.i=t.i);e=e.o}})();Dt!==void 0;){var n=Dt;for(Dt=void 0,kt++;n!==void 0;){var r=n.u;if(n.u=void 0,n.f&=-3,!(8&n.f)&&Ft(n))try{n.c()}catch(n){t||=(e=n,!0)}n=r}}if(kt=0,Ot--,t)throw e}}function P(e){if(Ot>0)return e();jt=++At,Ot++;try{return e()}finally{wt()}}var Tt,F=void 0;function Et(e){var t=F,n=Tt;F=void 0,Tt=void 0;try{return e()}finally{F=t,Tt=n}}var Dt=void 0,Ot=0,kt=0,At=0,jt=0,Mt=void 0,Nt=0;function Pt(e){if(F!==void 0){var t=e.n;if(t===void 0||t.t!==F)return t={i:0,S:e,p:F.s,n:void 0,t:F,e:void 0,x:void 0,r:t},F.s!==void 0&&(F.s.n=t),F.s=t,e.n=t,32&F.f&&e.S(t),t;if(t.i===-1)return t.i=0,t.n!==void 0&&(t.n.p=t.p,t.p!==void 0&&(t.p.n=t.n),t.p=F.s,t.n=void 0,F.s.n=t,F.s=t),t}}function I(e,t){this.v=e,this.i=0,this.n=void 0,this.t=void 0,this.l=0,this.W=t?.watched,this.Z=t?.unwatched,this.name=t?.name}I.prototype.brand=Ct,I.prototype.h=function(){return!0},I.prototype.S=function(e){var t=this,n=this.t;n!==e&&e.e===void 0&&(e.x=n,this.t=e,n===void 0?Et(function(){var e;(e=t.W)==null||e.call(t)}):n.e=e)},I.prototype.U=function(e){var t=this;if(this.t!==void 0){var n=e.e,r=e.x;n!==void 0&&(n.x=r,e.e=void 0),r!==void 0&&(r.e=n,e.x=void 0),e===this.t&&(this.t=r,r===void 0&&Et(function(){var e;(e=t.Z)==null||e.call(t)}))}},I.prototype.subscribe=function(e){var t=this;return z(function(){var n=t.value;Et(function(){return e(n)})},{name:`sub`})},I.prototype.valueOf=function(){return this.value},I.prototype.toString=function(){return this.value+``},I.prototype.toJSON=function(){return this.value},I.prototype.peek=function(){var e=this;return Et(function(){return e.value})},Object.defineProperty(I.prototype,"value",{get:function(){var e=Pt(this);return e!==void 0&&(e.i=this.i),this.v},set:function(e){if(e!==this.v){if(kt>100)throw Error(`Cycle detected`);(function(e){Ot!==0&&kt===0&&e.l!==jt&&(e.l=jt,Mt={S:e,v:e.v,i:e.i,o:Mt})})(this),this.v=e,this.i++,Nt++,Ot++;try{for(var t=this.t;t!==void 0;t=t.x)t.t.N()}finally{wt()}}}});function L(e,t){return new I(e,t)}function Ft(e){for(var t=e.s;t!==void 0;t=t.n)if(t.S.i!==t.i||!t.S.h()||t.S.i!==t.i)return!0;return!1}function It(e){for(var t=e.s;t!==void 0;t=t.n){var n=t.S.n;if(n!==void 0&&(t.r=n),t.S.n=t,t.i=-1,t.n===void 0){e.s=t;break}}}function Lt(e){for(var t=e.s,n=void 0;t!==void 0;){var r=t.p;t.i===-1?(t.S.U(t),r!==void 0&&(r.n=t.n),t.n!==void 0&&(t.n.p=r)):n=t,t.S.n=t.r,t.r!==void 0&&(t.r=void 0),t=r}e.s=n}function Rt(e,t){I.call(this,void 0,t),this.x=e,this.s=void 0,this.g=Nt-1,this.f=4}Rt.prototype=new I,Rt.prototype.h=function(){if(this.f&=-3,1&this.f)return!1;if((36&this.f)==32||(this.f&=-5,this.g===Nt))return!0;if(this.g=Nt,this.f|=1,this.i>0&&!Ft(this))return this.f&=-2,!0;var e=F;try{It(this),F=this;var t=this.x();(16&this.f||this.v!==t||this.i===0)&&(this.v=t,this.f&=-17,this.i++)}catch(e){this.v=e,this.f|=16,this.i++}return F=e,Lt(this),this.f&=-2,!0},Rt.prototype.S=function(e){if(this.t===void 0){this.f|=36;for(var t=this.s;t!==void 0;t=t.n)t.S.S(t)}I.prototype.S.call(this,e)},Rt.prototype.U=function(e){if(this.t!==void 0&&(I.prototype.U.call(this,e),this.t===void 0)){this.f&=-33;for(var t=this.s;t!==void 0;t=t.n)t.S.U(t)}},Rt.prototype.N=function(){if(!(2&this.f)){this.f|=6;for(var e=this.t;e!==void 0;e=e.x)e.t.N()}},Object.defineProperty(Rt.prototype,"value",{get:function(){if(1&this.f)throw Error(`Cycle detected`);var e=Pt(this);if(this.h(),e!==void 0&&(e.i=this.i),16&this.f)throw this.v;return this.v}});function R(e,t){return new Rt(e,t)}function zt(e){var t=e.j;if(e.j=void 0,typeof t==`function`){Ot++;var n=F;F=void 0;try{t()}catch(t){throw e.f&=-2,e.f|=8,Bt(e),t}finally{F=n,wt()}}}function Bt(e){for(var t=e.s;t!==void 0;t=t.n)t.S.U(t);e.x=void 0,e.s=void 0,zt(e)}function Vt(e){if(F!==this)throw Error(`Out-of-order effect`);Lt(this),F=e,this.f&=-2;try{8&this.f&&Bt(this)}finally{wt()}}function Ht(e,t){this.x=e,this.j=void 0,this.s=void 0,this.u=void 0,this.f=32,this.name=t?.name,Tt&&Tt.push(this)}Ht.prototype.c=function(){var e=this.S();try{if(8&this.f||this.x===void 0)return;var t=this.x();typeof t==`function`&&(this.j=t)}finally{e()}},Ht.prototype.S=function(){if(1&this.f)throw Error(`Cycle detected`);this.f|=1,this.f&=-9,zt(this),It(this),Ot++;var e=F;return F=this,Vt.bind(this,e)},Ht.prototype.N=function(){2&this.f||(this.f|=2,this.u=Dt,Dt=this)},Ht.prototype.d=function(){this.f|=8,1&this.f||Bt(this)},Ht.prototype.dispose=function(){this.d()};function z(e,t){var n=new Ht(e,t);try{n.c()}catch(e){throw n.d(),e}var r=n.d.bind(n);return r[Symbol.dispose]=r,r}var Ut,Wt,Gt,Kt=typeof window<`u`&&!!window.__PREACT_SIGNALS_DEVTOOLS__,qt=[];z(function(){Ut=this.N})();function Jt(e,t){k[e]=t.bind(null,k[e]||function(){})}function Yt(e){if(Gt){var t=Gt;Gt=void 0,t()}Gt=e&&e.S()}function Xt(e){var t=this,n=e.data,r=B(n);r.name=`ReactiveDom`,r.value=n;var i=ht(function(){for(var e=t,n=t.__v;n=n.__;)if(n.__c){n.__c.__$f|=4;break}var i=R(function(){var e=r.value.value;return e===0?0:!0===e?``:e||``}),a=R(function(){return!Array.isArray(i.value)&&!pe(i.value)}),o=z(function(){if(this.N=tn,a.value){var t=i.value;e.__v&&e.__v.__e&&e.__v.__e.nodeType===3&&(e.__v.__e.data=t)}}),s=t.__$u.d;return t.__$u.d=function(){o(),s.call(this)},[a,i]},[]),a=i[0],o=i[1];return a.value?o.peek():o.value}Xt.displayName=`ReactiveTextNode`,Object.defineProperties(I.prototype,{constructor:{configurable:!0,value:Ae(j,null).constructor},type:{configurable:!0,value:Xt},props:{configurable:!0,get:function(){var e=this;return{data:{get value(){return e.value}}}}},__b:{configurable:!0,value:1}}),Jt(`__b`,function(e,t){if(Yt(),Wt=void 0,typeof t.type==`string`){var n,r=t.props;for(var i in r)if(i!==`children`){var a=r[i];a instanceof I&&(n||(t.__np=n={}),n[i]=a,r[i]=a.peek())}}e(t)}),Jt(`__r`,function(e,t){if(e(t),t.type!==j){Yt();var n,r=t.__c;r&&(r.__$f&=-2,(n=r.__$u)===void 0&&(r.__$u=n=function(e,t){var n;return z(function(){n=this},{name:t}),n.c=e,n}(function(e){return function(){var t;Kt&&((t=this.y)==null||t.call(this)),e.__$f|=1,e.setState({})}}(r),typeof t.type==`function`?t.type.displayName||t.type.name:``))),Wt=r,Yt(n)}}),Jt(`__e`,function(e,t,n,r){Yt(),Wt=void 0,e(t,n,r)}),Jt(`diffed`,function(e,t){Yt(),Wt=void 0;var n;if(typeof t.type==`string`&&(n=t.__e)){var r=t.__np,i=t.props,a=n.U;if(a)for(var o in a){var s=a[o];s===void 0||r&&o in r||(s.d(),a[o]=void 0)}if(r)for(var c in a||(a={},n.U=a),r){var l=a[c],u=r[c];l===void 0?(l=Zt(n,c,u,i),a[c]=l):l.o(u,i)}}e(t)});function Zt(e,t,n,r){var i=t in e&&e.ownerSVGElement===void 0,a=L(n);return{o:function(e,t){a.value=e,r=t},d:z(function(){this.N=tn;var n=a.value.value;r[t]!==n&&(r[t]=n,i?e[t]=n:n!=null&&(!1!==n||t[4]===`-`)?e.setAttribute(t,n):e.removeAttribute(t))})}}Jt(`unmount`,function(e,t){if(typeof t.type==`string`){var n=t.__e;if(n){var r=n.U;if(r)for(var i in n.U=void 0,r){var a=r[i];a&&a.d()}}var o=t.__np;if(o){var s=t.props;for(var c in o)s[c]=o[c]}t.__np=void 0}else{var l=t.__c;if(l){l.__$f|=8;var u=l.__$u;u&&(l.__$u=void 0,u.d())}}e(t)}),Jt(`__h`,function(e,t,n,r){r<3&&(t.__$f|=2),e(t,n,r)}),Me.prototype.shouldComponentUpdate=function(e,t){if(this.__R)return!0;var n=this.__$u,r=n&&n.s!==void 0;for(var i in t)return!0;if(this.__f||typeof this.u==`boolean`&&!0===this.u){var a=2&this.__$f;if(!(r||a||4&this.__$f)||1&this.__$f)return!0}else if(!(r||4&this.__$f)||3&this.__$f)return!0;for(var o in e)if(o!==`__source`&&e[o]!==this.props[o])return!0;for(var s in this.props)if(!(s in e))return!0;return!1};function B(e,t){return ht(function(){return L(e,t)},[])}function Qt(e,t){var n=mt(e);return n.current=e,Wt.__$f|=4,ht(function(){return R(function(){return n.current()},t)},[])}var $t=function(e){queueMicrotask(function(){queueMicrotask(e)})};function en(){P(function(){for(var e;e=qt.shift();)Ut.call(e)})}function tn(){qt.push(this)===1&&(k.requestAnimationFrame||$t)(en)}var V=class extends String{__apiType;value;__meta__;constructor(e,t){super(e),this.value=e,this.__meta__=t}toString(){return this.value}};new V(`
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
  ... on RunStatusLine {
    state
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
    `,{fragmentName:`Granted`});var nn=new V(`
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
}`),rn=new V(`
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
}`),an=new V(`
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
}`),on=new V(`
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
    `),sn=new V(`
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
}`),cn=new V(`
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
}`),ln=new V(`
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
    `),un=new V(`
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
}`),dn=new V(`
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
}`),fn=new V(`
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
}`),pn=new V(`
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
}`),mn=new V(`
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
}`),hn=new V(`
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
}`),gn=new V(`
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
}`),_n=new V(`
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
}`),vn=new V(`
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
}`),yn=new V(`
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
}`),bn=new V(`
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
}`),xn=new V(`
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
}`),Sn=new V(`
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
}`),Cn=new V(`
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
}`),wn=new V(`
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
}`),Tn=new V(`
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
}`),En=new V(`
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
}`),Dn=new V(`
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
}`),On=new V(`
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
}`),kn=new V(`
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
}`),An=new V(`
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
}`),jn=new V(`
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
}`),Mn=new V(`
    subscription WorkspaceFeed($id: ID!, $after: String) {
  workspaceFeed(workspaceId: $id, after: $after) {
    cursor
    event {
      __typename
    }
  }
}
    `),Nn=new V(`
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
    `),Pn=new V(`
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
}`),Fn=new V(`
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
}`),In=new V(`
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
  ... on RunStatusLine {
    state
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
}`),Ln=new V(`
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
  ... on RunStatusLine {
    state
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
}`),Rn=new V(`
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
}`),zn=new V(`
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
}`),Bn=new V(`
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
}`),Vn=new V(`
    mutation SignOut($token: String!) {
  logout(input: {refreshToken: $token}) {
    __typename
  }
}
    `),Hn=new URL(`graphql`,document.baseURI),Un=class extends Error{code;retryAfter;constructor(e,t,n){super(e),this.code=t,this.retryAfter=n}};async function Wn(e,t,n){let{data:r,errors:i}=await(await fetch(Hn,{method:`POST`,headers:{"content-type":`application/json`,accept:`application/graphql-response+json, application/json`,"graphql-require-preflight":`1`,...n?{authorization:`Bearer ${n}`}:{}},body:JSON.stringify({query:e.toString(),variables:t})})).json(),[a]=i??[];if(a)throw new Un(a.message,a.extensions?.code,a.extensions?.retryAfter);if(!r)throw new Un(`The server gave no answer`,void 0);return r}var Gn=`signalbox:session`,Kn=60,qn=()=>JSON.parse(localStorage.getItem(Gn)??`null`),Jn=L(qn()),Yn=R(()=>Jn.value?.username??null);addEventListener(`storage`,({key:e})=>{(e===Gn||e===null)&&(Jn.value=qn())});function Xn(e){e?localStorage.setItem(Gn,JSON.stringify(e)):localStorage.removeItem(Gn),Jn.value=e}function Zn(e){if(!(`accessToken`in e))return e.message;let{accessToken:t,expiresAt:n,refreshToken:r,user:i}=e;return Xn({accessToken:t,expiresAt:n,refreshToken:r,username:i.username}),null}async function Qn(){let e=new URLSearchParams(location.hash.slice(1)).get(`token`);if(e===null)return null;history.replaceState(history.state,``,location.pathname+location.search);try{return Zn((await Wn(Rn,{token:e})).redeemSignInLink)}catch(e){return`The link was not redeemed: ${e.message}`}}async function $n(e,t){try{return Zn((await Wn(zn,{username:e,password:t})).login)}catch(e){return e.message}}async function er(){let e=qn();Xn(null),e&&await Wn(Vn,{token:e.refreshToken})}var tr=e=>navigator.locks?navigator.locks.request(Gn,e):e();async function nr(e){await tr(async()=>{let t=qn();!t||t.accessToken!==e?Jn.value=t:Zn((await Wn(Bn,{token:t.refreshToken})).refreshSession)!==null&&qn()?.refreshToken===t.refreshToken&&Xn(null)})}var rr=e=>(Date.parse(e.expiresAt)-Date.now())/1e3-Kn,ir=()=>Math.max(0,Jn.value?rr(Jn.value)*1e3:0);async function ar(e){let t=qn();if(t)return(rr(t)<=0||t.accessToken===e)&&await nr(t.accessToken),qn()?.accessToken}function H(e){return e===null?`null`:Array.isArray(e)?`array`:typeof e}function or(e){return H(e)===`object`}function sr(e){return Array.isArray(e)&&e.length>0&&e.every(e=>`message`in e)}function cr(e,t){return e.length<124?e:t}var U=(e=>(e[e.InternalServerError=4500]=`InternalServerError`,e[e.InternalClientError=4005]=`InternalClientError`,e[e.BadRequest=4400]=`BadRequest`,e[e.BadResponse=4004]=`BadResponse`,e[e.Unauthorized=4401]=`Unauthorized`,e[e.Forbidden=4403]=`Forbidden`,e[e.SubprotocolNotAcceptable=4406]=`SubprotocolNotAcceptable`,e[e.ConnectionInitialisationTimeout=4408]=`ConnectionInitialisationTimeout`,e[e.ConnectionAcknowledgementTimeout=4504]=`ConnectionAcknowledgementTimeout`,e[e.SubscriberAlreadyExists=4409]=`SubscriberAlreadyExists`,e[e.TooManyInitialisationRequests=4429]=`TooManyInitialisationRequests`,e))(U||{}),W=(e=>(e.ConnectionInit=`connection_init`,e.ConnectionAck=`connection_ack`,e.Ping=`ping`,e.Pong=`pong`,e.Subscribe=`subscribe`,e.Next=`next`,e.Error=`error`,e.Complete=`complete`,e))(W||{});function lr(e){if(!or(e))throw Error(`Message is expected to be an object, but got ${H(e)}`);if(!e.type)throw Error(`Message is missing the 'type' property`);if(typeof e.type!=`string`)throw Error(`Message is expects the 'type' property to be a string, but got ${H(e.type)}`);switch(e.type){case`connection_init`:case`connection_ack`:case`ping`:case`pong`:if(e.payload!=null&&!or(e.payload))throw Error(`"${e.type}" message expects the 'payload' property to be an object or nullish or missing, but got "${e.payload}"`);break;case`subscribe`:if(typeof e.id!=`string`)throw Error(`"${e.type}" message expects the 'id' property to be a string, but got ${H(e.id)}`);if(!e.id)throw Error(`"${e.type}" message requires a non-empty 'id' property`);if(!or(e.payload))throw Error(`"${e.type}" message expects the 'payload' property to be an object, but got ${H(e.payload)}`);if(typeof e.payload.query!=`string`)throw Error(`"${e.type}" message payload expects the 'query' property to be a string, but got ${H(e.payload.query)}`);if(e.payload.variables!=null&&!or(e.payload.variables))throw Error(`"${e.type}" message payload expects the 'variables' property to be a an object or nullish or missing, but got ${H(e.payload.variables)}`);if(e.payload.operationName!=null&&H(e.payload.operationName)!==`string`)throw Error(`"${e.type}" message payload expects the 'operationName' property to be a string or nullish or missing, but got ${H(e.payload.operationName)}`);if(e.payload.extensions!=null&&!or(e.payload.extensions))throw Error(`"${e.type}" message payload expects the 'extensions' property to be a an object or nullish or missing, but got ${H(e.payload.extensions)}`);break;case`next`:if(typeof e.id!=`string`)throw Error(`"${e.type}" message expects the 'id' property to be a string, but got ${H(e.id)}`);if(!e.id)throw Error(`"${e.type}" message requires a non-empty 'id' property`);if(!or(e.payload))throw Error(`"${e.type}" message expects the 'payload' property to be an object, but got ${H(e.payload)}`);break;case`error`:if(typeof e.id!=`string`)throw Error(`"${e.type}" message expects the 'id' property to be a string, but got ${H(e.id)}`);if(!e.id)throw Error(`"${e.type}" message requires a non-empty 'id' property`);if(!sr(e.payload))throw Error(`"${e.type}" message expects the 'payload' property to be an array of GraphQL errors, but got ${JSON.stringify(e.payload)}`);break;case`complete`:if(typeof e.id!=`string`)throw Error(`"${e.type}" message expects the 'id' property to be a string, but got ${H(e.id)}`);if(!e.id)throw Error(`"${e.type}" message requires a non-empty 'id' property`);break;default:throw Error(`Invalid message 'type' property "${e.type}"`)}return e}function ur(e,t){return lr(typeof e==`string`?JSON.parse(e,t):e)}function dr(e,t){return lr(e),JSON.stringify(e,t)}function fr(e){let{url:t,connectionParams:n,lazy:r=!0,onNonLazyError:i=console.error,lazyCloseTimeout:a=0,keepAlive:o=0,disablePong:s,connectionAckWaitTimeout:c=0,retryAttempts:l=5,retryWait:u=async function(e){let t=2**e;await new Promise(e=>setTimeout(e,t*1e3+Math.floor(Math.random()*2700+300)))},shouldRetry:d=mr,on:f,webSocketImpl:p,generateID:m=function(){return`xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx`.replace(/[xy]/g,e=>{let t=Math.random()*16|0;return(e==`x`?t:t&3|8).toString(16)})},jsonMessageReplacer:h,jsonMessageReviver:g}=e,_;if(p){if(!gr(p))throw Error(`Invalid WebSocket implementation provided`);_=p}else typeof WebSocket<`u`?_=WebSocket:typeof global<`u`?_=global.WebSocket||global.MozWebSocket:typeof window<`u`&&(_=window.WebSocket||window.MozWebSocket);if(!_)throw Error("WebSocket implementation missing; on Node you can `import WebSocket from 'ws';` and pass `webSocketImpl: WebSocket` to `createClient`");let v=_,y=(()=>{let e=(()=>{let e={};return{on(t,n){return e[t]=n,()=>{delete e[t]}},emit(t){`id`in t&&e[t.id]?.(t)}}})(),t={connecting:f?.connecting?[f.connecting]:[],opened:f?.opened?[f.opened]:[],connected:f?.connected?[f.connected]:[],ping:f?.ping?[f.ping]:[],pong:f?.pong?[f.pong]:[],message:f?.message?[e.emit,f.message]:[e.emit],closed:f?.closed?[f.closed]:[],error:f?.error?[f.error]:[]};return{onMessage:e.on,on(e,n){let r=t[e];return r.push(n),()=>{let e=r.indexOf(n);e>-1&&r.splice(e,1)}},emit(e,...n){for(let r of[...t[e]])r(...n)}}})();function b(e){let t=[y.on(`error`,n=>{t.forEach(e=>e()),e(n)}),y.on(`closed`,n=>{t.forEach(e=>e()),e(n)})];return()=>t.forEach(e=>e())}let x,S=0,C,w=!1,T=0,E=!1;async function D(){clearTimeout(C);let[e,r]=await(x??=new Promise((e,r)=>(async()=>{if(w){if(await u(T),!S)return x=void 0,r({code:1e3,reason:`All Subscriptions Gone`});T++}y.emit(`connecting`,w);let i=new v(typeof t==`function`?await t():t,`graphql-transport-ws`),a,l;function d(){isFinite(o)&&o>0&&(clearTimeout(l),l=setTimeout(()=>{i.readyState===v.OPEN&&(i.send(dr({type:W.Ping})),y.emit(`ping`,!1,void 0))},o))}b(e=>{x=void 0,clearTimeout(a),clearTimeout(l),r(e),e instanceof pr&&(i.close(4499,`Terminated`),i.onerror=null,i.onclose=null)}),i.onerror=e=>y.emit(`error`,e),i.onclose=e=>y.emit(`closed`,e),i.onopen=async()=>{try{y.emit(`opened`,i);let e=typeof n==`function`?await n():n;if(i.readyState!==v.OPEN)return;i.send(dr(e?{type:W.ConnectionInit,payload:e}:{type:W.ConnectionInit},h)),isFinite(c)&&c>0&&(a=setTimeout(()=>{i.close(U.ConnectionAcknowledgementTimeout,`Connection acknowledgement timeout`)},c)),d()}catch(e){y.emit(`error`,e),i.close(U.InternalClientError,cr(e instanceof Error?e.message:String(e),`Internal client error`))}};let f=!1;i.onmessage=({data:t})=>{try{let n=ur(t,g);if(y.emit(`message`,n),n.type===`ping`||n.type===`pong`){y.emit(n.type,!0,n.payload),n.type===`pong`?d():s||(i.send(dr(n.payload?{type:W.Pong,payload:n.payload}:{type:W.Pong},h)),y.emit(`pong`,!1,n.payload));return}if(f)return;if(n.type!==W.ConnectionAck)throw Error(`First message cannot be of type ${n.type}`);clearTimeout(a),f=!0,y.emit(`connected`,i,n.payload,w),w=!1,T=0;let r=new Promise((e,t)=>b(t));r.catch(()=>{}),e([i,r])}catch(e){i.onmessage=null,y.emit(`error`,e),i.close(U.BadResponse,cr(e instanceof Error?e.message:String(e),`Bad response`))}}})()));e.readyState===v.CLOSING&&await r;let i=()=>{},l=new Promise(e=>i=e);return[e,i,new Promise((t,n)=>{let i=b(n);e.readyState!==v.OPEN&&r.catch(n),l.then(()=>{if(i(),!S){let t=()=>e.close(1e3,`Normal Closure`);isFinite(a)&&a>0?(clearTimeout(C),C=setTimeout(()=>{!S&&e.readyState===v.OPEN&&t()},a)):t()}t()})})]}function O(e){if(mr(e)&&(hr(e.code)||[U.InternalServerError,U.InternalClientError,U.BadRequest,U.BadResponse,U.Unauthorized,U.SubprotocolNotAcceptable,U.SubscriberAlreadyExists,U.TooManyInitialisationRequests].includes(e.code)))throw e;if(E)return!1;if(mr(e)&&e.code===1e3)return S>0;if(!l||T>=l||!d(e))throw e;return w=!0}r||(async()=>{for(S++;;)try{let[,,e]=await D();await e}catch(e){try{if(!O(e))return}catch(e){return i?.(e)}}})();function ee(e,t){let n=m(e),r=!1,i=!1,a=()=>{S--,r=!0};return(async()=>{for(S++;;)try{let[o,s,c]=await D();if(r)return c.catch(()=>{}),s();let l=y.onMessage(n,e=>{switch(e.type){case W.Next:t.next(e.payload);return;case W.Error:i=!0,r=!0,t.error(e.payload),a();return;case W.Complete:r=!0,a();return}});o.send(dr({id:n,type:W.Subscribe,payload:e},h)),a=()=>{!r&&o.readyState===v.OPEN&&o.send(dr({id:n,type:W.Complete},h)),S--,r=!0,s()},await c.finally(l);return}catch(e){if(!O(e))return}})().then(()=>{i||t.complete()}).catch(e=>{t.error(e)}),()=>{r||a()}}return{on:y.on,subscribe:ee,iterate(e){let t=[],n={done:!1,error:null,resolve:()=>{}},r=ee(e,{next(e){t.push(e),n.resolve()},error(e){n.done=!0,n.error=e,n.resolve()},complete(){n.done=!0,n.resolve()}}),i=async function*(){for(;;){for(t.length||await new Promise(e=>n.resolve=e);t.length;)yield t.shift();if(n.error)throw n.error;if(n.done)return}}();return i.throw=async e=>(n.done||(n.done=!0,n.error=e,n.resolve()),{done:!0,value:void 0}),i.return=async()=>(r(),{done:!0,value:void 0}),i},async dispose(){if(E=!0,x){let[e]=await x;e.close(1e3,`Normal Closure`)}},terminate(){x&&y.emit(`closed`,new pr)}}}var pr=class extends Error{name=`TerminatedCloseEvent`;message=`4499: Terminated`;code=4499;reason=`Terminated`;wasClean=!1};function mr(e){return or(e)&&`code`in e&&`reason`in e}function hr(e){return![1e3,1001,1006,1005,1012,1013,1014].includes(e)&&e>=1e3&&e<=1999}function gr(e){return typeof e==`function`&&`constructor`in e&&`CLOSED`in e&&`CLOSING`in e&&`CONNECTING`in e&&`OPEN`in e}var _r=5,vr=10,yr=L(`idle`);async function G(e,t){let n=await ar();try{return await Wn(e,t,n)}catch(r){if(!(r instanceof Un)||r.code!==`UNAUTHENTICATED`||!n)throw r;return Wn(e,t,await ar(n))}}var br=()=>{},xr=e=>new Promise(t=>{let n=setTimeout(t,e*1e3);br=()=>{clearTimeout(n),t()}}),Sr,Cr=fr({url:Hn.href.replace(/^http/,`ws`),connectionParams:async()=>{let e=await ar();return e?{authorization:`Bearer ${e}`}:{}},keepAlive:vr*1e3,retryAttempts:1/0,shouldRetry:()=>!0,retryWait:e=>xr(Math.min(_r,.25*2**e)*(.75+Math.random()/2)),on:{connecting:()=>{yr.peek()!==`lost`&&(yr.value=`connecting`)},connected:()=>{yr.value=`open`},closed:()=>{yr.value=`lost`},ping:e=>{e||(Sr=setTimeout(()=>Cr.terminate(),vr/2*1e3))},pong:e=>{e&&clearTimeout(Sr)}}});for(let e of[`online`,`focus`])addEventListener(e,()=>br());z(()=>{if(!Jn.value){Cr.terminate();return}let e=setTimeout(()=>Cr.terminate(),Math.min(ir()+1e3,2**31-1));return()=>clearTimeout(e)});function wr(e,t,n){let r={...t},i;return Cr.subscribe({query:e.toString(),variables:r},{next:({data:e,errors:t})=>{let a=e&&Object.values(e)[0];a?.cursor&&(r.after=a.cursor),t?i=t[0]?.extensions?.code??`INTERNAL`:e&&n.next(e)},error:e=>{let t=Array.isArray(e)?e[0]:void 0;n.ended(t?.extensions?.code??`INTERNAL`)},complete:()=>n.ended(i)})}function Tr(e){return!(`message`in e)||e.message===void 0?null:e.reasons?.length?e.reasons.map(({message:e})=>e):e.issues?.length?e.issues.map(({message:e})=>e):[e.message]}var Er=`0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz`,Dr=Er.slice(10),Or=new Map;function kr(e){let t=Or.get(e);if(t===void 0){t=new Uint8Array(256);for(let n=0;n<e.length;n++)t[e.charCodeAt(n)]=n;Or.set(e,t)}return t}function Ar(e,t,n,r){let i=n[0];if(t!=null&&e>=t)throw Error(e+` >= `+t);if(e.slice(-1)===i||t&&t.slice(-1)===i)throw Error(`trailing zero`);if(t){let a=0;for(;(e[a]||i)===t[a];)a++;if(a>0)return t.slice(0,a)+Ar(e.slice(a),t.slice(a),n,r)}let a=e?r[e.charCodeAt(0)]:0,o=t==null?n.length:r[t.charCodeAt(0)];return o-a>1?n[Math.round(.5*(a+o))]:t&&t.length>1?t.slice(0,1):n[a]+Ar(e.slice(1),null,n,r)}function jr(e,t,n){if(e.length!==Mr(e[0],t,n))throw Error(`invalid integer part of order key: `+e)}function Mr(e,t,n){let r=n[e.charCodeAt(0)];if(t[r]===e){let e=t.length/2;return r<e?e-r+1:r-e+2}throw Error(`invalid order key head: `+e)}function Nr(e,t,n){let r=Mr(e[0],t,n);if(r>e.length)throw Error(`invalid order key: `+e);return e.slice(0,r)}function Pr(e,t,n,r){if(Rr(e,t,n))throw Error(`invalid order key: `+e);let i=Nr(e,n,r);if(e.slice(i.length).slice(-1)===t[0])throw Error(`invalid order key: `+e)}function Fr(e,t,n,r,i){jr(e,r,i);let a=e[0],o=t[0],s=``;for(let r=e.length-1;r>=1;r--){let i=n[e.charCodeAt(r)]+1;if(i===t.length)s=o+s;else return a+e.slice(1,r)+t[i]+s}let c=i[a.charCodeAt(0)];if(c===r.length-1)return null;let l=r[c+1],u=Mr(l,r,i)-Mr(a,r,i);return l+(u>0?s+o:u<0?s.slice(1):s)}function Ir(e,t,n,r,i){jr(e,r,i);let a=e[0],o=t[t.length-1],s=``;for(let r=e.length-1;r>=1;r--){let i=n[e.charCodeAt(r)]-1;if(i===-1)s=o+s;else return a+e.slice(1,r)+t[i]+s}let c=i[a.charCodeAt(0)];if(c===0)return null;let l=r[c-1],u=Mr(l,r,i)-Mr(a,r,i);return l+(u>0?s+o:u<0?s.slice(1):s)}var Lr=new Map;function Rr(e,t,n){let r=Lr.get(n);r===void 0&&(r=new Map,Lr.set(n,r));let i=t.charCodeAt(0),a=r.get(i);return a===void 0&&(a=n[0]+t[0].repeat(n.length/2),r.set(i,a)),e===a}function zr(e){for(let t=1;t<e.length;t++)if(e.charCodeAt(t-1)>=e.charCodeAt(t))return!1;return!0}function Br(e){for(let t=0;t<e.length;t++)if(e.charCodeAt(t)>255)return!1;return!0}var Vr=new Set;function Hr(e){if(!Vr.has(e)){if(e.length<2||!zr(e))throw Error(`digits must be at least 2 characters in strictly ascending character code order: `+e);if(!Br(e))throw Error(`digits must be single-byte (char code 0-255): `+e);Vr.add(e)}}var Ur=new Set;function Wr(e){if(!Ur.has(e)){if(e.length<2||e.length%2!=0||!zr(e))throw Error(`intDigits must be an even number of at least 2 characters in strictly ascending character code order: `+e);if(!Br(e))throw Error(`intDigits must be single-byte (char code 0-255): `+e);Ur.add(e)}}function Gr(e,t,n=void 0,r=void 0){r===void 0?r=n??Dr:Wr(r),n===void 0?n=Er:Hr(n);let i=kr(n),a=kr(r);if(e!=null&&Pr(e,n,r,a),t!=null&&Pr(t,n,r,a),e!=null&&t!=null&&e>t){let n=e;e=t,t=n}if(e==null){if(t==null)return r[r.length/2]+n[0];let e=Nr(t,r,a),o=t.slice(e.length);if(Rr(e,n,r))return e+Ar(``,o,n,i);if(e<t)return e;let s=Ir(e,n,i,r,a);if(s==null)throw Error(`cannot decrement any more`);return s}if(t==null){let t=Nr(e,r,a),o=e.slice(t.length);return Fr(t,n,i,r,a)??t+Ar(o,null,n,i)}let o=Nr(e,r,a),s=e.slice(o.length),c=Nr(t,r,a),l=t.slice(c.length);if(o===c)return o+Ar(s,l,n,i);let u=Fr(o,n,i,r,a);if(u==null)throw Error(`cannot increment any more`);return u<t?u:o+Ar(s,null,n,i)}var Kr=(e,t)=>e.rank<t.rank?-1:e.rank>t.rank?1:e.id<t.id?-1:+(e.id>t.id);function qr(e,t){try{return Gr(e??null,t??null)}catch{return e??t??`a0`}}var Jr=8,Yr=L([]),Xr=0;function Zr(e,t=[],n=`done`){let r=++Xr;Yr.value=[...Yr.value.slice(-2),{id:r,title:e,details:t,kind:n}],setTimeout(()=>Qr(r),Jr*1e3)}function Qr(e){Yr.value=Yr.value.filter(t=>t.id!==e)}var $r=8,ei=new Set([`NOT_FOUND`,`FORBIDDEN`]),ti=new Set([void 0,`UNAVAILABLE`,`TIMEOUT`,`UNAUTHENTICATED`,`RATE_LIMITED`]),ni=class{id;facts=L(null);columns=L([]);lanes=L(new Map);cards=new Map;failure=L(null);seq=L(0);touched=L({id:``,count:0,type:``});mayWrite=R(()=>this.facts.value?.workspace?.myRole!==`VIEWER`);pending=new Map;read=new Map;arrived=[];frame;stop=()=>{};closed=!1;cursor=``;constructor(e){this.id=e,this.load()}close(){this.closed=!0,this.stop(),clearTimeout(this.frame)}async load(){try{let{board:e}=await G(rn,{id:this.id});if(this.closed)return;if(!e){this.failure.value=`This board does not exist, or you may not see it.`;return}let{cards:t,columns:n,cursor:r,seq:i,...a}=e;P(()=>{this.failure.value=null,this.facts.value=a,this.columns.value=[...n].sort(Kr),this.cards.clear(),this.seq.value=i,this.read.clear();for(let e of t.nodes)this.cards.set(e.id,L(e));this.arrange()}),this.cursor=r,this.listen(),t.pageInfo.hasNextPage&&await this.loadRest(t.pageInfo.endCursor)}catch(e){if(this.closed)return;this.failure.value=e.message,setTimeout(()=>this.failure.peek()&&!this.closed&&void this.load(),2e3)}}async loadRest(e){for(;e;){let{board:t}=await G(rn,{id:this.id,after:e});if(!t||this.closed)return;P(()=>t.cards.nodes.forEach(e=>this.put(e,t.seq))),e=t.cards.pageInfo.hasNextPage?t.cards.pageInfo.endCursor:null}}listen(){this.stop=wr(an,{id:this.id,after:this.cursor},{next:({boardFeed:e})=>{this.arrived.push(e),this.frame??=setTimeout(()=>this.apply(),16)},ended:e=>{this.closed||(ei.has(e??``)?this.failure.value=`This board was deleted, or you may no longer see it.`:ti.has(e)?setTimeout(()=>!this.closed&&this.listen(),1e3):setTimeout(()=>!this.closed&&void this.load(),500))}})}apply(){this.frame=void 0;let e=performance.now()+$r;P(()=>{let t;for(;performance.now()<e&&(t=this.arrived.shift());)this.show(t)}),this.arrived.length&&(this.frame=setTimeout(()=>this.apply(),16))}show({seq:e,cursor:t,event:n}){if(this.cursor=t,this.seq.value=e,`cardId`in n)n.card?this.put(n.card,e):this.remove(n.cardId),this.touched.value={id:n.cardId,count:this.touched.peek().count+1,type:n.__typename};else if(`ranks`in n){for(let{nodeId:e,rank:t}of n.ranks){let n=this.cards.get(e);n&&(n.value={...n.peek(),rank:t}),this.columns.value=this.columns.peek().map(n=>n.id===e?{...n,rank:t}:n)}this.columns.value=[...this.columns.peek()].sort(Kr),this.arrange()}else if(`columnId`in n){let e=this.columns.peek().filter(({id:e})=>e!==n.columnId);this.columns.value=(n.column?[...e,n.column]:e).sort(Kr),this.arrange()}else n.__typename===`BoardDeleted`?this.failure.value=`This board was deleted.`:/^(Board|Label|AgentProfile)/.test(n.__typename)&&this.reload()}async reload(){let{board:e}=await G(rn,{id:this.id});if(!e||this.closed)return;let{cards:t,columns:n,cursor:r,seq:i,...a}=e;P(()=>{this.facts.value=a,t.nodes.forEach(e=>this.put(e,i))})}put(e,t){if(t<(this.read.get(e.id)??0))return;this.read.set(e.id,t);let n=this.cards.get(e.id);if(e.archivedAt){this.remove(e.id);return}let r={...e,...this.pending.get(e.id)},i=n?.peek();n?n.value=r:this.cards.set(r.id,L(r)),(i?.columnId!==r.columnId||i.rank!==r.rank)&&(i&&i.columnId!==r.columnId&&this.sort(i.columnId),this.sort(r.columnId))}putChanged(e){P(()=>this.put(e,e.board?.seq??this.seq.peek()))}remove(e){let t=this.cards.get(e);t&&(this.cards.delete(e),this.sort(t.peek().columnId))}arrange(){let e=new Map(this.columns.peek().map(({id:e})=>[e,this.lanes.peek().get(e)??L([])]));this.lanes.value=e;for(let t of e.keys())this.sort(t)}sort(e){let t=this.lanes.peek().get(e);if(!t)return;let n=[];for(let t of this.cards.values())t.peek().columnId===e&&n.push(t.peek());let r=n.sort(Kr).map(({id:e})=>e);r.join()!==t.peek().join()&&(t.value=r)}overlay(e,t){let n=this.cards.get(e);if(!n)return;let r=n.peek().columnId;n.value={...n.peek(),...t},this.sort(r),this.sort(n.peek().columnId)}async move(e,t,n,r=!0){let i=this.cards.get(e)?.peek(),a=this.columns.peek().find(e=>e.id===t);if(!i||!a)return!1;let o=(this.lanes.peek().get(t)?.peek()??[]).filter(t=>t!==e),s=n===null?0:o.indexOf(n)+1,c=e=>e?this.cards.get(e)?.peek().rank:void 0,l=qr(c(o[s-1]),c(o[s])),u={columnId:i.columnId,stage:i.stage,rank:i.rank},d={columnId:t,stage:a.stage,rank:l};r&&(this.pending.set(e,d),P(()=>this.overlay(e,d)));let f={id:e,position:n===null?{top:!0}:{after:n}};t!==u.columnId&&(f.destination={columnId:t});try{let t=(await G(sn,{input:f})).moveCard;this.settle(e,d);let n=Tr(t);if(n===null)return this.putChanged(t),!0;this.restore(e,d,u),Zr(`${i.name} stays in ${this.nameOf(u.columnId)}`,n,`refused`)}catch(t){this.settle(e,d),this.restore(e,d,u),Zr(`${i.name} was not moved`,[t.message],`refused`)}return!1}settle(e,t){this.pending.get(e)===t&&this.pending.delete(e)}restore(e,t,n){this.cards.get(e)?.peek()?.rank===t.rank&&!this.pending.has(e)&&P(()=>this.overlay(e,n))}async create(e,t){let n=(await G(cn,{input:{boardId:this.id,title:t,destination:{columnId:e},position:{top:!0}}})).createCard,r=Tr(n);return r?Zr(`The card was not created`,r,`refused`):this.putChanged(n),r===null}nameOf(e){return this.columns.peek().find(({id:t})=>t===e)?.name??``}},ri=L(null),ii=L(null),ai=R(()=>ri.value?.workspaces.nodes??[]),oi=R(()=>ai.value.flatMap(e=>e.boards.nodes));async function si(){try{ri.value=await G(nn,{}),ii.value=null}catch(e){ii.value=e.message,setTimeout(()=>ii.peek()&&void si(),3e3)}}var ci=`signalbox:theme`,li=L(localStorage.getItem(ci)??`system`);li.subscribe(e=>{localStorage.setItem(ci,e),e===`system`?delete document.documentElement.dataset.theme:document.documentElement.dataset.theme=e});var ui=120,di=new Set([`RunProgressed`]),fi=class{board;id;detail=L(null);failure=L(null);timer;unwatch;closed=!1;constructor(e,t){this.board=e,this.id=t,this.load(),this.unwatch=z(()=>{let{id:n,type:r}=e.touched.value;n===t&&!di.has(r)&&(this.timer??=setTimeout(()=>void this.load(),ui))})}close(){this.closed=!0,this.unwatch(),clearTimeout(this.timer)}async load(){this.timer=void 0;try{let{card:e}=await G(un,{id:this.id});if(this.closed)return;this.detail.value=e??null,this.failure.value=e?null:`This card was deleted, or you may not see it.`}catch(e){this.failure.value=e.message}}async update(e){try{let t=(await G(dn,{input:{id:this.id,...e}})).updateCard,n=Tr(t);return n?Zr(`The card was not changed`,n,`refused`):this.board.putChanged(t),n||this.load(),!n}catch(e){return Zr(`The card was not changed`,[e.message],`refused`),!1}}},pi=150,mi=3e3,hi=L(null),gi=R(()=>hi.value?.questions.nodes??[]),_i=R(()=>hi.value?.unreadCount??0),vi=R(()=>(hi.value?.questions.totalCount??0)+_i.value),yi;function bi(){yi??=setTimeout(()=>{yi=void 0,G(jn,{}).then(e=>{hi.value=e}).catch(()=>setTimeout(bi,mi))},pi)}function xi(e){let t=!1,n=()=>{},r=()=>{n=e(e=>{!t&&e!==`NOT_FOUND`&&setTimeout(()=>!t&&r(),mi)})};return r(),()=>{t=!0,n()}}var Si=R(()=>ai.value.map(({id:e})=>e).join(` `));z(()=>{let e=Si.value.split(` `).filter(Boolean);if(!e.length){hi.value=null;return}let t=e.map(e=>xi(t=>wr(Mn,{id:e},{next:({workspaceFeed:{event:e}})=>{/^(Question|FeedStarted)/.test(e.__typename)&&bi()},ended:t}))),n=xi(e=>wr(Nn,{},{next:({userFeed:{event:e}})=>{bi(),e.__typename===`Notified`&&Ci(e.title)},ended:e}));return()=>[...t,n].forEach(e=>e())}),z(()=>{document.title=vi.value?`(${vi.value}) Signalbox`:`Signalbox`});function Ci(e){document.hidden&&`Notification`in window&&Notification.permission===`granted`&&new Notification(e)}async function wi(e,t,n){let{outcome:r}=await G(On,{id:e.id,options:t.length?t:null,text:n.trim()||null}),i=Tr(r);return Zr(i?`The answer was not taken`:`Answered`,i??[],i?`refused`:`done`),bi(),i===null}async function Ti(){await G(Pn,{}),bi()}var Ei=()=>location.hash.startsWith(`#/`)?location.hash.slice(2).split(`/`).filter(Boolean).map(decodeURIComponent):[],K=L(Ei());addEventListener(`hashchange`,()=>{K.value=Ei()});var Di=R(()=>K.value[0]??``),Oi=R(()=>K.value[0]===`boards`?K.value[1]??null:null),ki=R(()=>K.value[0]===`boards`?K.value[2]??null:null),Ai=R(()=>K.value[0]===`boards`?K.value[3]??null:null);R(()=>K.value[1]??null);var q=(...e)=>`#/${e.filter(Boolean).map(e=>encodeURIComponent(e)).join(`/`)}`;function ji(...e){let t=q(...e);t!==location.hash&&(location.hash=t),K.value=Ei()}function Mi(...e){history.replaceState(history.state,``,q(...e)),K.value=Ei()}var Ni=Symbol.for(`pv`),Pi=0;Array.isArray;function J(e,t,n,r,i,a){t||={};var o,s,c=t;if(`ref`in c&&typeof e!=`function`)for(s in c={},t)s==`ref`?o=t[s]:c[s]=t[s];var l={type:e,props:c,key:n,ref:o,__k:null,__:null,__b:0,__e:null,__c:null,constructor:Ni,__v:--Pi,__i:-1,__u:0};return(i||a)&&(l.__source=i,l.__self=a),k.vnode&&k.vnode(l),l}var Fi={inbox:`M2.5 9.5h3l1 2h3l1-2h3M4 3.5h8l1.5 6v3h-11v-3z`,chart:`M3 13V8.5M8 13V3.5M13 13V6.5`,search:`M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14`,filter:`M2.5 4.5h11M4.5 8h7M6.5 11.5h3`,plus:`M8 3v10M3 8h10`,close:`m4 4 8 8M12 4l-8 8`,check:`m3.5 8.5 3 3 6-7`,comment:`M3 3.5h10v7H8l-3 2.5v-2.5H3z`,calendar:`M3 4h10v9H3zM3 7h10M6 2.5v3M10 2.5v3`,board:`M2.5 3.5h3v9h-3zM6.5 3.5h3v6h-3zM10.5 3.5h3v7.5h-3z`,code:`m5.5 5-3 3 3 3M10.5 5l3 3-3 3`,menu:`M2.5 4.5h11M2.5 8h11M2.5 11.5h11`,sun:`M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9`,moon:`M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z`,half:`M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11`,play:`M5 3.5v9l7-4.5z`,stop:`M4.5 4.5h7v7h-7z`,retry:`M3 8a5 5 0 1 0 1.5-3.5M3 2.5V5h2.5`,chevron:`m6 4 4 4-4 4`,bolt:`M8.5 2 4 9h3.5l-.5 5L12 7H8.5z`,file:`M4 2.5h5l3 3v8H4zM9 2.5v3h3`,bell:`M4 11V7.5a4 4 0 0 1 8 0V11l1 1H3zM7 13.5h2`,keyboard:`M2 4.5h12v7H2zM4.5 7h.01M7 7h.01M9.5 7h.01M12 7h.01M5 9.5h6`};function Y({name:e,size:t=16}){return J(`svg`,{class:`icon`,width:t,height:t,viewBox:`0 0 16 16`,"aria-hidden":`true`,children:J(`path`,{d:Fi[e]})})}var Ii={BACKLOG:0,PLAN:0,TODO:0,IN_PROGRESS:.5,REVIEW:.75,DONE:1};function Li({stage:e}){let t=2*Math.PI*2.5;return J(`svg`,{class:`stage stage-${e.toLowerCase()}`,width:`16`,height:`16`,viewBox:`0 0 16 16`,"aria-hidden":`true`,children:[J(`circle`,{class:`stage-rim`,cx:`8`,cy:`8`,r:`5.8`}),e===`DONE`?J(j,{children:[J(`circle`,{class:`stage-full`,cx:`8`,cy:`8`,r:`5.8`}),J(`path`,{class:`stage-check`,d:`m5.4 8.2 1.8 1.8 3.4-3.8`})]}):J(`circle`,{class:`stage-part`,cx:`8`,cy:`8`,r:`2.5`,"stroke-dasharray":`${t*Ii[e]} ${t}`,transform:`rotate(-90 8 8)`})]})}var Ri={NONE:0,LOW:1,MEDIUM:2,HIGH:3,CRITICAL:4};function zi({priority:e}){return J(`svg`,{class:`priority priority-${e.toLowerCase()}`,width:`14`,height:`14`,viewBox:`0 0 16 16`,"aria-hidden":`true`,children:e===`CRITICAL`?J(j,{children:[J(`rect`,{x:`1.5`,y:`1.5`,width:`13`,height:`13`,rx:`3`}),J(`path`,{class:`mark`,d:`M8 4.5v4.5M8 11.3v.2`})]}):[0,1,2].map(t=>J(`rect`,{x:1.5+t*5,y:10-t*3.5,width:`3`,height:4.5+t*3.5,rx:`1`,opacity:t<Ri[e]?1:.28},t))})}function Bi({done:e,total:t}){let n=2*Math.PI*5;return J(`svg`,{class:`ring`,width:`14`,height:`14`,viewBox:`0 0 14 14`,"aria-hidden":`true`,children:[J(`circle`,{cx:`7`,cy:`7`,r:`5`}),J(`circle`,{class:`ring-part`,cx:`7`,cy:`7`,r:`5`,"stroke-dasharray":`${t?n*e/t:0} ${n}`,transform:`rotate(-90 7 7)`})]})}var Vi=({children:e})=>J(`span`,{class:`hidden`,children:e}),Hi=e=>e.nickname??([e.firstName,e.lastName].filter(Boolean).join(` `)||e.username),Ui=e=>e.split(/\s+/).slice(0,2).map(e=>[...e][0]??``).join(``).toUpperCase(),Wi=e=>{let t=0;for(let n of e)t=t*31+n.codePointAt(0)>>>0;return t%8*45+10};function Gi({person:e}){let t=Hi(e);return J(`span`,{class:`avatar`,style:{"--hue":Wi(e.id)},title:t,children:[J(`span`,{"aria-hidden":`true`,children:Ui(t)}),J(Vi,{children:t})]})}var Ki=({label:e})=>J(`span`,{class:`label`,style:{"--label":e.colour},children:e.name}),qi={IDLE:`Idle`,QUEUED:`Waits for a worker`,STARTING:`Starts`,PLANNING:`Plans`,WORKING:`Works`,WAITING_TOOL:`Waits for a tool`,WAITING_INPUT:`Asks you`,BLOCKED:`Blocked`,SUCCEEDED:`Succeeded`,FAILED:`Failed`,CANCELLED:`Stopped`},Ji=new Set([`At work`,`Waits for a worker`,`Waits for an answer`,`Starting`,`Done`]),Yi=({state:e,activity:t})=>J(`span`,{class:`agent agent-${e.toLowerCase()}`,children:[J(`span`,{class:`agent-dot`,"aria-hidden":`true`}),J(`span`,{class:`agent-state`,children:qi[e]}),t&&!Ji.has(t)&&J(`span`,{class:`agent-activity`,children:t})]}),X=e=>e.charAt(0)+e.slice(1).toLowerCase().replaceAll(`_`,` `),Xi=Object.assign;function Zi(e,t){for(var n in e)if(n!=`__source`&&e[n]!==t[n])return!0;for(var r in t)if(r!=`__source`&&!(r in e))return!0;return!1}var Qi=/^(-|f[lo].*[^se]$|g.{5,}[^ps]$|z|o[pr]|(W.{5})?[lL]i.*(t|mp)$|an|(bo|s).{4}Im|sca|m.{6}[ds]|ta|c.*[st]$|wido|ini|asp|fill|st)/;function $i(e,t){function n(e){var n=this.props.ref;return n!=e.ref&&n&&(typeof n==`function`?n(null):n.current=null),t?!t(this.props,e)||n!=e.ref:Zi(this.props,e)}function r(t){return this.shouldComponentUpdate=n,Ae(e,t)}return r.displayName=`Memo(`+(e.displayName||e.name)+`)`,r.prototype.isReactComponent=!0,r.type=e,r}var ea=Symbol.for(`react.element`),ta=/^(?:accent|alignment|arabic|baseline|cap|clip(?!PathU)|color|dominant|fill|flood|font|glyph(?!R)|horiz|image(?!S)|letter|lighting|marker(?!H|W|U)|overline|paint|pointer|shape|stop|strikethrough|stroke|text(?!L)|transform|underline|unicode|units|v|vector|vert|word|writing|x(?!C))[A-Z]/,na=/[A-Z0-9]/g,ra=typeof document<`u`,ia=function(e){return/fil|che|rad/.test(e)};Me.prototype.isReactComponent=!0,[`componentWillMount`,`componentWillReceiveProps`,`componentWillUpdate`].forEach(function(e){Object.defineProperty(Me.prototype,e,{configurable:!0,get:function(){return this[`UNSAFE_`+e]},set:function(t){Object.defineProperty(this,e,{configurable:!0,writable:!0,value:t})}})});var aa=k.event;k.event=function(e){return aa&&(e=aa(e)),e.persist=function(){},e.isPropagationStopped=function(){return this.cancelBubble},e.isDefaultPrevented=function(){return this.defaultPrevented},e.nativeEvent=e};var oa={configurable:!0,get:function(){return this.class}},sa=k.vnode;k.vnode=function(e){if(typeof e.type==`string`)(function(e){var t=e.props,n=e.type,r={},i=n.indexOf(`-`)==-1;for(var a in t){var o=t[a];if(!(a==`value`&&`defaultValue`in t&&o==null||ra&&a==`children`&&n==`noscript`||a==`class`||a==`className`)){if(a==`style`&&o&&o.constructor==Object){var s=void 0;for(var c in o)typeof o[c]!=`number`||Qi.test(c)||(s||=o=Xi({},o),o[c]+=`px`)}else if(a==`defaultValue`&&`value`in t&&t.value==null)a=`value`;else if(a==`download`&&!0===o)o=``;else if(a==`translate`&&o===`no`)o=!1;else if(a[0]==`o`&&a[1]==`n`){var l=a.toLowerCase();l==`ondoubleclick`?a=`ondblclick`:l!=`onchange`||n!=`input`&&n!=`textarea`||ia(t.type)?l==`onfocus`?a=`onfocusin`:l==`onblur`&&(a=`onfocusout`):l=a=`oninput`,l==`oninput`&&r[a=l]&&(a=`oninputCapture`)}else i&&ta.test(a)?a=a.replace(na,`-$&`).toLowerCase():o===null&&(o=void 0);r[a]=o}}if(n==`select`){var u=r.defaultValue==null?r.multiple&&Array.isArray(r.value)?r.value:null:r.defaultValue;u!=null&&(r.value=Ve(t.children).forEach(function(e){e.props.selected=r.multiple?u.indexOf(e.props.value)!=-1:u==e.props.value}))}t.class&&!t.className?(r.class=t.class,Object.defineProperty(r,"className",oa)):t.className&&(r.class=r.className=t.className),e.props=r})(e);else if(typeof e.type==`function`&&(`ref`in e.props&&`prototype`in e.type&&e.type.prototype.render&&(e.ref=e.props.ref,delete e.props.ref),e.type.defaultProps)){var t=Xi({},e.props);for(var n in e.type.defaultProps)t[n]===void 0&&(t[n]=e.type.defaultProps[n]);e.props=t}e.ref&&!(`ref`in e.props)&&Object.defineProperty(e.props,"ref",{value:e.ref,configurable:!0,writable:!0}),e.$$typeof=ea,sa&&sa(e)};var ca,Z,la,ua,da=Object.is,fa=0,pa=[],ma=[],Q=k,ha=Q.__b,ga=Q.__r,_a=Q.diffed,va=Q.__c,ya=Q.unmount,ba=Q.__;function xa(e,t){Q.__h&&Q.__h(Z,e,fa||t),fa=0;var n=Z.__H||(Z.__H={__:[],__h:[]});return e>=n.__.length&&n.__.push({}),n.__[e]}function Sa(e,t,n){var r=xa(ca++,2);if(r.t=e,!r.__c&&(r.__=[n?n(t):Fa(void 0,t),function(e){var t=(r.__N||r.__)[0],n=r.t(t,e);da(t,n)||(r.__N=[n,r.__[1]],r.__c.setState({}))}],r.__c=Z,!Z.__f)){Z.__f=!0;var i=Z.shouldComponentUpdate;Z.shouldComponentUpdate=function(e,t,n){var r=this.__H;if(!r)return!0;var a=!1,o=this.props!=e;if(r.__.some(function(e){e.__N&&(a=!0,da(e.__[0],e.__N[0])||(o=!0))}),i){var s=i.call(this,e,t,n);return a?s||o:s}return!a||o}}return r.__}function Ca(e,t){var n=xa(ca++,3);!Q.__s&&Pa(n.__H,t)&&(n.__P=!0,n.__=e,n.u=t,Z.__H.__h.push(n))}function wa(e,t){var n=xa(ca++,4);!Q.__s&&Pa(n.__H,t)&&(n.__P=!1,n.__=e,n.u=t,Z.__h.push(n))}function Ta(e){return fa=5,Ea(function(){return{current:e}},[])}function Ea(e,t){var n=xa(ca++,7);return Pa(n.__H,t)&&(n.__=e(),n.__H=t),n.__}function Da(){var e=xa(ca++,11);if(!e.__){for(var t=Z.__v;!t.__m&&t.__;)t=t.__;var n=t.__m||(t.__m=[0,0]);e.__=`P`+n[0]+`-`+n[1]++}return e.__}function Oa(){var e;do{for(;e=ma.shift();)try{Ma(e)}catch(t){Q.__e(t,{__:(e=e.__P)&&e.__v})}for(;e=pa.shift();){var t=e.__H;if(e.__P&&t)try{t.__h.some(Ma),t.__h.some(Na),t.__h=[]}catch(n){t.__h=[],Q.__e(n,e.__v)}}}while(ma.length)}Q.__b=function(e){Z=null,ha&&ha(e)},Q.__=function(e,t){e&&t.__k&&t.__k.__m&&(e.__m=t.__k.__m),ba&&ba(e,t)},Q.__r=function(e){ga&&ga(e),ca=0;var t=(Z=e.__c).__H;t&&(la==Z?Z.__h=[]:(t.__h.some(Ma),t.__h.some(Na),ca=0),t.__h=[],t.__.some(function(e){e.__N&&(e.__=e.__N),e.u=e.__N=void 0})),la=Z},Q.diffed=function(e){_a&&_a(e);var t=e.__c;t&&t.__H&&(t.__H.__h.length&&ja(pa.push(t)),t.__H.__.some(function(e){e.u&&(e.__H=e.u)})),la=Z=null},Q.__c=function(e,t){t.some(function(e){try{e.__h.some(Ma),e.__h=e.__h.filter(function(e){return!e.__||Na(e)})}catch(t){e.__h=[function(){throw t}]}}),va&&va(e,t)},Q.unmount=function(e){ya&&ya(e);var t,n,r=e.__c;r&&r.__H&&(r.__H.__.some(function(r){try{if(r.__P&&r.__c){if(n===void 0){for(n=e.__;n&&(!n.__c||!n.__c.__P);)n=n.__;n&&=n.__c}r.__P=n,ja(ma.push(r))}else Ma(r)}catch(e){t=e}}),r.__H=void 0,t&&Q.__e(t,r.__v))};var ka=typeof requestAnimationFrame==`function`;function Aa(e){var t,n=function(){clearTimeout(r),ka&&cancelAnimationFrame(t),setTimeout(e)},r=setTimeout(n,35);ka&&(t=requestAnimationFrame(n))}function ja(e){e!=1&&ua==Q.requestAnimationFrame||((ua=Q.requestAnimationFrame)||Aa)(Oa)}function Ma(e){var t=Z,n=e.__c;typeof n==`function`&&(e.__c=void 0,n()),Z=t}function Na(e){var t=Z;e.__c=e.__(),Z=t}function Pa(e,t){return!e||e.length!=t.length||t.some(function(t,n){return!da(t,e[n])})}function Fa(e,t){return typeof t==`function`?t(e):t}var Ia={working:[`QUEUED`,`STARTING`,`PLANNING`,`WORKING`,`WAITING_TOOL`,`BLOCKED`],asking:[`WAITING_INPUT`],failed:[`FAILED`,`CANCELLED`]},La=L(``),Ra=L(new Set),za=L(new Set),Ba=L(new Set),Va=R(()=>!!La.value.trim()||Ra.value.size+za.value.size+Ba.value.size>0);function Ha(){La.value=``,Ra.value=za.value=Ba.value=new Set}function Ua(e,t){let n=new Set(e.value);n.delete(t)||n.add(t),e.value=n}var Wa=e=>e.normalize(`NFKD`).replace(/\p{M}/gu,``).toLowerCase();function Ga(e){let t=Wa(La.value.trim());return!(t&&!Wa(`${e.name} ${e.title}`).includes(t)||Ra.value.size&&!e.assignees.some(({id:e})=>Ra.value.has(e))||za.value.size&&!e.labels.some(({id:e})=>za.value.has(e))||Ba.value.size&&![...Ba.value].some(t=>Ia[t].includes(e.agentState)))}var Ka=4,qa=220,Ja=56,Ya=14,$=L(null),Xa=L(null),Za=L(``);function Qa(e,t,n){let r=e.cards.get(t)?.peek();if(!r)return;let i=e.lanes.peek().get(r.columnId)?.peek()??[],a={columnId:r.columnId,after:i[i.indexOf(t)-1]??null};P(()=>{Xa.value=null,$.value={id:t,name:r.name,by:n,from:a,over:n===`keyboard`?a:null}}),G(on,{id:t}).then(({card:e})=>{$.peek()?.id===t&&e&&(Xa.value=new Map(e.moves.map(e=>[e.stage,e])))}).catch(()=>{})}function $a(e){let t=$.peek();t&&(t.over?.columnId!==e?.columnId||t.over?.after!==e?.after)&&($.value={...t,over:e})}var eo=(e,t)=>t===$.value?.from.columnId||(Xa.value?.get(e)?.allowed??!0);function to(){$.peek()&&(Za.value=`${$.peek().name} was put back.`),$.value=null}async function no(e){let t=$.peek(),n=e.columns.peek().find(({id:e})=>e===t?.over?.columnId);if(!t?.over||!n)return to();let{id:r,name:i,over:a,from:o}=t,s=eo(n.stage,n.id);$.value=null,(a.columnId!==o.columnId||a.after!==o.after&&a.after!==r)&&await e.move(r,a.columnId,a.after,s)&&(Za.value=`${i} is in ${n.name} now.`)}function ro(e,t,n){let r=document.elementFromPoint(e,t)?.closest(`[data-column]`);if(!r)return null;let i=null;for(let e of r.querySelectorAll(`[data-card]`)){let r=e.dataset.card;if(r===n)continue;let a=e.getBoundingClientRect();if(t<a.top+a.height/2)break;i=r}return{columnId:r.dataset.column,after:i}}function io(e,t){let n=e=>Math.ceil((1-Math.max(0,e)/Ja)*Ya),r=document.querySelector(`.columns`);if(r){let t=r.getBoundingClientRect();e<t.left+Ja?r.scrollLeft-=n(e-t.left):e>t.right-Ja&&(r.scrollLeft+=n(t.right-e))}let i=document.elementFromPoint(e,t)?.closest(`[data-column]`)?.querySelector(`.cards`);if(i){let e=i.getBoundingClientRect();t<e.top+Ja?i.scrollTop-=n(t-e.top):t>e.bottom-Ja&&(i.scrollTop+=n(e.bottom-t))}}function ao(e,t,n){if(n.button!==0||!n.isPrimary||$.peek()||!e.mayWrite.peek())return;let r=n.currentTarget,i=n.pointerType===`touch`,a=r.getBoundingClientRect(),o={x:n.clientX,y:n.clientY},s=o,c=null,l=0,u=()=>{c=r.cloneNode(!0),c.classList.add(`ghost`),c.setAttribute(`aria-hidden`,`true`),c.removeAttribute(`data-card`),c.style.inlineSize=`${a.width}px`,document.body.append(c),document.documentElement.classList.add(`is-dragging`),Qa(e,t,`pointer`),l=requestAnimationFrame(d)},d=()=>{c.style.translate=`${a.left+s.x-o.x}px ${a.top+s.y-o.y}px`,io(s.x,s.y),$a(ro(s.x,s.y,t)),l=requestAnimationFrame(d)},f=i?setTimeout(u,qa):void 0,p=e=>{e.pointerId===n.pointerId&&(s={x:e.clientX,y:e.clientY},c||Math.hypot(s.x-o.x,s.y-o.y)<Ka||(i?v():u()))},m=r=>{if(r.pointerId!==n.pointerId)return;let i=c!==null;s={x:r.clientX,y:r.clientY},i&&$a(ro(s.x,s.y,t)),v(),i&&(addEventListener(`click`,oo,{capture:!0,once:!0}),setTimeout(()=>removeEventListener(`click`,oo,{capture:!0})),no(e))},h=()=>{v(),to()},g=e=>e.key===`Escape`&&c&&(e.stopPropagation(),h()),_=e=>c&&e.preventDefault(),v=()=>{clearTimeout(f),cancelAnimationFrame(l),c?.remove(),c=null,document.documentElement.classList.remove(`is-dragging`),removeEventListener(`pointermove`,p),removeEventListener(`pointerup`,m),removeEventListener(`pointercancel`,h),removeEventListener(`keydown`,g,!0),removeEventListener(`touchmove`,_)};addEventListener(`pointermove`,p),addEventListener(`pointerup`,m),addEventListener(`pointercancel`,h),addEventListener(`keydown`,g,!0),addEventListener(`touchmove`,_,{passive:!1})}var oo=e=>{e.preventDefault(),e.stopPropagation()};function so(e,t,n){let r=$.peek();if(!r?.over)return;let i=e.columns.peek(),a=i.findIndex(({id:e})=>e===r.over.columnId),o=t=>(e.lanes.peek().get(t)?.peek()??[]).filter(e=>e!==r.id&&n(e)),s=o(r.over.columnId),c=r.over.after===null?0:s.indexOf(r.over.after)+1,l=t===`ArrowLeft`?-1:+(t===`ArrowRight`);if(l){let e=i[a+(document.dir===`rtl`?-l:l)];e&&$a({columnId:e.id,after:o(e.id)[c-1]??o(e.id).at(-1)??null}),e&&c===0&&$a({columnId:e.id,after:null})}else{let e=Math.min(s.length,Math.max(0,c+(t===`ArrowDown`?1:-1)));$a({columnId:r.over.columnId,after:e===0?null:s[e-1]})}let u=$.peek().over,d=i.find(({id:e})=>e===u.columnId),f=u.after===null?1:o(u.columnId).indexOf(u.after)+2,p=Xa.peek()?.get(d.stage),m=d.id!==r.from.columnId&&p&&!p.allowed;Za.value=`${d.name}, place ${f}.${m?` Not allowed: ${p.reasons[0]?.message??``}`:``}`}function co({label:e,count:t=0,icon:n,class:r=`pill`,children:i}){let a=Da(),o=Ta(null),s=Ta(null);return J(j,{children:[J(`button`,{ref:s,class:r,popovertarget:a,"aria-haspopup":`true`,children:[n&&J(Y,{name:n}),e,t>0&&J(`span`,{class:`badge`,children:t})]}),J(`div`,{ref:o,id:a,class:`menu`,popover:`auto`,role:`group`,"aria-label":e,onToggle:()=>{let e=s.current.getBoundingClientRect(),t=o.current.offsetWidth||220;o.current.style.top=`${Math.min(e.bottom+4,innerHeight-120)}px`,o.current.style.left=`${Math.max(8,Math.min(e.left,innerWidth-t-8))}px`},children:i})]})}var lo=[[`working`,`Agent at work`],[`asking`,`Agent asks`],[`failed`,`Agent failed`]];function uo({board:e}){let t=e.facts.value?.workspace,n=t?.members.nodes.flatMap(({user:e})=>e?[e]:[])??[];return J(`div`,{class:`filters`,role:`search`,"aria-label":`Filter the cards`,children:[J(`label`,{class:`field`,children:[J(Y,{name:`filter`}),J(`input`,{type:`search`,placeholder:`Filter cards`,"aria-label":`Filter cards by text`,value:La.value,onInput:e=>La.value=e.currentTarget.value})]}),lo.map(([e,t])=>J(`button`,{class:`pill agent-filter-${e}`,"aria-pressed":Ba.value.has(e),onClick:()=>Ua(Ba,e),children:[J(`span`,{class:`agent-dot`,"aria-hidden":`true`}),t]},e)),J(co,{label:`Labels`,count:za.value.size,children:(t?.labels??[]).map(e=>J(`label`,{class:`choice`,children:[J(`input`,{type:`checkbox`,checked:za.value.has(e.id),onChange:()=>Ua(za,e.id)}),J(Ki,{label:e})]},e.id))}),J(`div`,{class:`people-filter`,role:`group`,"aria-label":`Filter by people`,children:n.slice(0,8).map(e=>J(`button`,{class:`person`,"aria-pressed":Ra.value.has(e.id),"aria-label":`Only cards of ${Hi(e)}`,onClick:()=>Ua(Ra,e.id),children:J(Gi,{person:e})},e.id))}),Va.value&&J(`button`,{class:`quiet`,onClick:Ha,children:`Clear`})]})}var fo=14,po=20,mo=new Set([`IDLE`,`SUCCEEDED`,`CANCELLED`]);function ho({board:e}){let t=e.facts.value;return t?J(`section`,{class:`board`,"aria-label":t.name,children:[J(uo,{board:e}),e.failure.value&&J(`p`,{class:`notice`,children:e.failure.value}),J(`p`,{id:`card-help`,class:`hidden`,children:`Enter opens the card. Space lifts it: the arrow keys choose a place, Space drops it, Escape puts it back.`}),J(`div`,{class:`columns`,onKeyDown:t=>To(e,t),children:e.columns.value.map(t=>J(_o,{board:e,column:t},t.id))}),J(`p`,{class:`hidden`,role:`status`,children:Za})]}):e.failure.value?J(`p`,{class:`page calm`,children:e.failure.value}):J(go,{})}var go=()=>J(`div`,{class:`columns skeleton`,"aria-busy":`true`,children:[5,3,4,2,3].map((e,t)=>J(`div`,{class:`column`,children:[J(`div`,{class:`column-head`}),J(`div`,{class:`cards`,children:Array.from({length:e},(e,t)=>J(`div`,{class:`card`},t))})]},t))});function _o({board:e,column:t}){let n=B(fo),r=B(!1),i=Ta(null),a=e.lanes.value.get(t.id)?.value??[],o=Va.value?a.filter(t=>Ga(e.cards.get(t).value)):a,s=o.slice(0,n.value),c=Qt(()=>$.value?.over?.columnId===t.id?$.value.over.after:void 0),l=Qt(()=>!$.value||!Xa.value?``:eo(t.stage,t.id)?`is-allowed`:`is-forbidden`),u=t.wipLimit!==null&&t.wipLimit!==void 0&&a.length>=t.wipLimit,d=s.length<o.length;return Ca(()=>{if(!d||!i.current)return;let e=new IntersectionObserver(([e])=>{e?.isIntersecting&&(n.value+=po)},{rootMargin:`600px`});return e.observe(i.current),()=>e.disconnect()},[d,n.value]),J(`section`,{class:`column ${l.value}`,"data-column":t.id,"aria-labelledby":`head-${t.id}`,children:[J(`header`,{class:`column-head`,children:[J(Li,{stage:t.stage}),J(`h2`,{id:`head-${t.id}`,children:t.name}),J(`span`,{class:`count ${u?`is-full`:``}`,children:[Va.value?`${o.length} of ${a.length}`:a.length,t.wipLimit!=null&&J(`span`,{class:`limit`,children:[` / `,t.wipLimit]}),J(Vi,{children:t.wipLimit==null?` cards`:` cards, at most ${t.wipLimit}`})]}),e.mayWrite.value&&J(`button`,{class:`quiet add`,"aria-label":`Add a card to ${t.name}`,onClick:()=>r.value=!0,children:J(Y,{name:`plus`})})]}),l.value===`is-forbidden`&&J(`p`,{class:`why`,children:Xa.value?.get(t.stage)?.reasons[0]?.message??`Not allowed from here.`}),J(`ul`,{class:`cards`,tabIndex:-1,children:[r.value&&J(yo,{board:e,column:t,close:()=>r.value=!1}),c.value===null&&J(vo,{}),s.map(t=>J(bo,{board:e,id:t,isTarget:c.value===t},t)),d&&J(`li`,{ref:i,class:`more`,children:[o.length-s.length,` more`]}),o.length===0&&!r.value&&c.value===void 0&&J(`li`,{class:`none`,children:`No cards`})]})]})}var vo=()=>J(`li`,{class:`line`,role:`presentation`});function yo({board:e,column:t,close:n}){return J(`li`,{children:J(`form`,{class:`card new-card`,onSubmit:async r=>{r.preventDefault();let i=r.currentTarget,a=new FormData(i).get(`title`).trim();if(!a)return n();await e.create(t.id,a)&&i.reset()},onKeyDown:e=>e.key===`Escape`&&n(),children:J(`input`,{name:`title`,"aria-label":`Title of a new card in ${t.name}`,placeholder:`Title, then Enter`,maxLength:255,autoComplete:`off`,ref:e=>e?.focus(),onBlur:e=>!e.currentTarget.value.trim()&&n()})})})}var bo=$i(function({board:e,id:t,isTarget:n}){let r=e.cards.get(t),i=Qt(()=>$.value?.id===t),a=Qt(()=>ki.value===t);return r?J(j,{children:[J(`li`,{class:`card ${i.value?`is-lifted`:``} ${a.value?`is-open`:``}`,"data-card":t,onPointerDown:n=>ao(e,t,n),onDragStart:e=>e.preventDefault(),children:J(xo,{board:e,card:r.value})}),n&&J(vo,{})]}):null});function xo({board:e,card:t}){let{done:n,total:r}=t.subtaskCount,i=t.openQuestions.length>0,a=t.activeRun?.progress,o=!mo.has(t.agentState)||t.activeRun;return J(`a`,{href:q(`boards`,e.id,t.id),"aria-describedby":`card-help`,draggable:!1,children:[J(`span`,{class:`card-top`,children:[J(`span`,{class:`card-name`,children:t.name}),t.parent&&J(`span`,{class:`card-parent`,children:t.parent.title}),J(`span`,{class:`people`,children:t.assignees.map(e=>J(Gi,{person:e},e.id))})]}),J(`span`,{class:`card-title`,children:t.title}),J(`span`,{class:`card-meta`,children:[J(`span`,{class:`priority-chip`,title:`${X(t.priority)} priority`,children:[J(zi,{priority:t.priority}),J(Vi,{children:[X(t.priority),` priority`]})]}),t.labels.map(e=>J(Ki,{label:e},e.id)),r>0&&J(`span`,{class:`chip ${n===r?`is-done`:``}`,children:[J(Bi,{done:n,total:r}),n,`/`,r,J(Vi,{children:` subtasks done`})]}),t.dueOn&&J(`span`,{class:`chip ${t.overdue?`is-late`:``}`,children:[J(Y,{name:`calendar`,size:13}),So(t.dueOn),t.overdue&&J(Vi,{children:` overdue`})]}),t.messageCount>0&&J(`span`,{class:`chip`,children:[J(Y,{name:`comment`,size:13}),t.messageCount,J(Vi,{children:` messages`})]})]}),(o||i)&&J(Yi,{state:i?`WAITING_INPUT`:t.agentState,activity:t.agentActivity}),a?.todosTotal?J(`span`,{class:`bar`,"aria-hidden":`true`,children:J(`span`,{style:{inlineSize:`${100*(a.todosDone??0)/a.todosTotal}%`}})}):null]})}var So=e=>new Date(`${e}T00:00`).toLocaleDateString(void 0,{month:`short`,day:`numeric`}),Co=e=>e instanceof Element?e.closest(`[data-card]`):null,wo=e=>e?.querySelector(`a`)?.focus();function To(e,t){let n=Co(t.target);if(!n||t.ctrlKey||t.metaKey||t.altKey)return;let r=n.dataset.card,i=t=>!Va.peek()||Ga(e.cards.get(t).peek());if($.peek()?.by===`keyboard`){if(t.key===`Escape`||t.key===`Tab`)to();else if(t.key===` `||t.key===`Enter`)no(e).then(()=>Eo(r));else if(t.key.startsWith(`Arrow`))so(e,t.key,i);else return;t.preventDefault(),t.stopPropagation()}else{if(t.key===` `&&e.mayWrite.peek())Qa(e,r,`keyboard`),Za.value=`${$.peek()?.name} is lifted.`;else if(t.key===`ArrowDown`||t.key===`j`)wo(Do(n,1));else if(t.key===`ArrowUp`||t.key===`k`)wo(Do(n,-1));else if(t.key===`ArrowLeft`||t.key===`ArrowRight`)wo(Oo(n,t.key===`ArrowRight`!=(document.dir===`rtl`)));else return;t.preventDefault()}}var Eo=e=>{requestAnimationFrame(()=>wo(document.querySelector(`[data-card="${e}"]`)))};function Do(e,t){let n=[...e.parentElement.querySelectorAll(`[data-card]`)];return n[n.indexOf(e)+t]??null}function Oo(e,t){let n=[...document.querySelectorAll(`[data-column]`)],r=e.getBoundingClientRect().top,i=n.indexOf(e.closest(`[data-column]`));for(;n[i+=t?1:-1];){let e=[...n[i].querySelectorAll(`[data-card]`)];if(e.length)return e.find(e=>e.getBoundingClientRect().bottom>r)??e.at(-1)}return null}var ko=L(Date.now());setInterval(()=>{document.hidden||(ko.value=Date.now())},1e3);var Ao=[[`day`,86400],[`hour`,3600],[`minute`,60]],jo=new Intl.RelativeTimeFormat(void 0,{numeric:`auto`,style:`narrow`});function Mo(e){let t=(Date.parse(e)-ko.value)/1e3;for(let[e,n]of Ao)if(Math.abs(t)>=n)return jo.format(Math.trunc(t/n),e);return`now`}var No=({at:e})=>J(`time`,{dateTime:e,title:new Date(e).toLocaleString(),children:Mo(e)});function Po(e){let t=Math.max(0,e/1e3);return t<10?`${t.toFixed(1)} s`:t<60?`${Math.round(t)} s`:t<3600?`${Math.floor(t/60)} min ${Math.floor(t%60)} s`:`${Math.floor(t/3600)} h ${Math.floor(t%3600/60)} min`}function Fo({to:e,then:t}){let n=Math.max(0,Math.ceil((Date.parse(e)-ko.value)/1e3));return J(`span`,{class:`countdown ${n<=20?`is-late`:``}`,role:`timer`,children:[Math.floor(n/60),`:`,String(n%60).padStart(2,`0`),` until `,t]})}var Io=[`BACKLOG`,`PLAN`,`TODO`,`IN_PROGRESS`,`REVIEW`,`DONE`],Lo=e=>{let t={queued:0,active:0,waiting:0};for(let n of e.boards)t.queued+=n.queued+n.delayed,t.active+=n.active,t.waiting+=n.waiting;return t};function Ro(){return J(`div`,{class:`page charts`,children:ai.value.filter(({boards:e})=>e.nodes.length).map(({id:e,name:t})=>J(zo,{id:e,name:t},e))})}function zo({id:e,name:t}){let n=B(null),r=B([]),i=B([]);if(Ca(()=>{let t=()=>{},a=!1,o=async()=>{let t=await G(kn,{id:e});r.value=t.workers,n.value??=t.queue??null},s=()=>{t=wr(An,{id:e},{next:({queueFeed:e})=>{n.value=e,i.value=[...i.value,Lo(e)].slice(-120),o().catch(()=>{})},ended:()=>setTimeout(()=>!a&&s(),2e3)})};return o().catch(()=>{}),s(),()=>{a=!0,t()}},[e]),!n.value)return null;let a=n.value.boards;return J(`section`,{class:`chart-group`,"aria-labelledby":`charts-${e}`,children:[J(`h2`,{id:`charts-${e}`,children:t}),J(`div`,{class:`chart-grid`,children:[J(`figure`,{class:`panel`,children:[J(`figcaption`,{children:`Queue, as it changes`}),J(Ho,{points:i.value}),J(Vo,{head:[`Board`,`Queued`,`At work`,`Waiting`,`Failed`],rows:a.map(e=>[e.board?.name,e.queued+e.delayed,e.active,e.waiting,e.dead])})]}),J(`figure`,{class:`panel`,children:[J(`figcaption`,{children:`Where the cards stand`}),a.map(e=>J(Uo,{name:e.board?.name??``,counts:e.board?.cardCounts??[]},e.boardId)),J(Vo,{head:[`Board`,...Io.map(X)],rows:a.map(e=>[e.board?.name,...Io.map(t=>Bo(e.board?.cardCounts,t))])})]}),J(`figure`,{class:`panel`,children:[J(`figcaption`,{children:`Workers`}),J(Vo,{head:[`Worker`,`Status`,`Runs`,`Heard`],rows:r.value.map(e=>[e.name,J(`span`,{class:`worker worker-${e.status.toLowerCase()}`,children:[J(`span`,{class:`agent-dot`,"aria-hidden":`true`}),X(e.status)]}),`${e.held} / ${e.maxConcurrent}`,J(No,{at:e.heardAt})])}),r.value.length===0&&J(`p`,{class:`calm`,children:`No worker is registered.`})]})]})]})}var Bo=(e,t)=>e?.find(e=>e.stage===t)?.count??0,Vo=({head:e,rows:t})=>J(`table`,{children:[J(`thead`,{children:J(`tr`,{children:e.map(e=>J(`th`,{scope:`col`,children:e},e))})}),J(`tbody`,{children:t.map(([e,...t],n)=>J(`tr`,{children:[J(`th`,{scope:`row`,children:e}),t.map((e,t)=>J(`td`,{children:e},t))]},n))})]});function Ho({points:e}){let t=Math.max(4,...e.map(e=>Math.max(e.queued,e.active,e.waiting))),n=n=>e.map((r,i)=>`${i?`L`:`M`}${i*600/Math.max(1,e.length-1)} ${130-r[n]*120/t}`).join(``);return J(j,{children:[J(`svg`,{class:`depth`,viewBox:`0 0 600 140`,preserveAspectRatio:`none`,role:`img`,"aria-label":`Depth of the queue`,children:[[0,.5,1].map(e=>J(`path`,{class:`grid-line`,d:`M0 ${130-120*e}H600`},e)),J(`path`,{class:`line-waiting`,d:n(`waiting`)}),J(`path`,{class:`line-queued`,d:n(`queued`)}),J(`path`,{class:`line-active`,d:n(`active`)})]}),J(`p`,{class:`legend`,children:[J(`span`,{class:`is-active`,children:`At work`}),J(`span`,{class:`is-queued`,children:`Queued`}),J(`span`,{class:`is-waiting`,children:`Waiting for an answer`})]})]})}function Uo({name:e,counts:t}){return t.reduce((e,{count:t})=>e+t,0)?J(`div`,{class:`stage-bar`,children:[J(`span`,{children:e}),J(`div`,{role:`img`,"aria-label":t.map(({stage:e,count:t})=>`${X(e)} ${t}`).join(`, `),children:Io.map(e=>{let n=Bo(t,e);return n?J(`span`,{class:`stage-${e.toLowerCase()}`,style:{flexGrow:n},title:`${X(e)} ${n}`,children:n},e):null})})]}):null}async function Wo(e,t,n,r){try{let i=Tr((await G(t,n)).outcome);return i?Zr(e,i,`refused`):r&&Zr(r),i===null}catch(t){return Zr(e,[t.message],`refused`),!1}}var Go=/(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*|\[[^\]]+\]\([^)\s]+\)|https?:\/\/[^\s<>)]+)/g;function Ko(e){return e.split(Go).map(e=>{if(e.startsWith("`"))return J(`code`,{children:e.slice(1,-1)});if(e.startsWith(`**`))return J(`strong`,{children:e.slice(2,-2)});if(/^\*[^*\s]/.test(e)&&e.endsWith(`*`))return J(`em`,{children:e.slice(1,-1)});let t=/^\[([^\]]+)\]\((https?:[^)\s]+)\)$/.exec(e)??(/^https?:/.test(e)?[e,e,e]:null);return t?J(`a`,{class:`link`,href:t[2],rel:`noopener noreferrer`,target:`_blank`,children:t[1]}):e})}function qo(e){if(e.startsWith("```"))return J(`pre`,{tabIndex:0,children:e.replace(/^```[^\n]*\n?/,``).replace(/\n?```$/,``)});let t=/^#{1,6} (.*)$/s.exec(e);if(t)return J(`p`,{class:`heading`,children:Ko(t[1])});let n=e.split(`
`);return n.every(e=>/^\s*([-*]|\d+\.) /.test(e))?J(`ul`,{class:`bullets`,children:n.map(e=>J(`li`,{children:Ko(e.replace(/^\s*([-*]|\d+\.) /,``))}))}):J(`p`,{children:n.flatMap((e,t)=>t?[J(`br`,{}),...Ko(e)]:Ko(e))})}function Jo({text:e}){return J(`div`,{class:`markdown`,dir:`auto`,children:(e.match(/```[\s\S]*?(?:```|$)|(?:(?!\n\s*\n|\n?```)[\s\S])+/g)??[]).map(e=>e.trim()).filter(Boolean).map(qo)})}function Yo({question:e,hasCard:t=!0}){let n=B(e.options.filter(e=>e.recommended).slice(0,1).map(e=>e.label)),r=B(``),i=B(!1),a=e.type===`MULTI`,o=e.type===`TEXT`||e.allowOther,s=(e,t)=>{a?n.value=t?[...n.value,e]:n.value.filter(t=>t!==e):n.value=[e]};return J(`form`,{class:`question`,onSubmit:async t=>{t.preventDefault(),i.value=!0;let o=r.value.trim();await wi(e,o&&!a?[]:[...n.value],o).finally(()=>i.value=!1)},children:[J(`header`,{children:[J(`span`,{class:`agent agent-waiting_input`,children:[J(`span`,{class:`agent-dot`,"aria-hidden":`true`}),J(`span`,{class:`agent-state`,children:[e.askedBy?.name??`Somebody`,` asks`]})]}),J(No,{at:e.createdAt}),e.expiresAt&&J(Fo,{to:e.expiresAt,then:e.defaultAnswer?.length?`“${e.defaultAnswer.join(`, `)}”`:`it expires`})]}),t&&e.card&&J(`a`,{class:`question-card`,href:q(`boards`,e.boardId,e.cardId),children:[J(`span`,{class:`card-name`,children:e.card.name}),` `,e.card.title]}),J(`fieldset`,{children:[J(`legend`,{children:e.text}),e.options.map(({label:t,description:i,recommended:o})=>J(`label`,{class:`option`,children:[J(`input`,{type:a?`checkbox`:`radio`,name:e.id,checked:n.value.includes(t)&&!(r.value.trim()&&!a),onChange:e=>s(t,e.currentTarget.checked)}),J(`span`,{children:[J(`strong`,{children:t}),o&&J(`em`,{children:` recommended`}),i&&J(`small`,{children:i})]})]},t)),o&&J(`input`,{"aria-label":e.options.length?`Another answer`:`Your answer`,placeholder:e.options.length?`Or in other words …`:`Your answer`,value:r.value,onInput:e=>r.value=e.currentTarget.value})]}),J(`button`,{class:`primary`,disabled:i.value||!(n.value.length||r.value.trim()),children:`Answer`})]})}var Xo=3,Zo=new Set([`QUEUED`,`CLAIMED`,`RUNNING`,`WAITING`]),Qo=e=>Zo.has(e.status),$o=({status:e})=>J(`span`,{class:`run-status run-${e.toLowerCase()}`,children:[J(`span`,{class:`agent-dot`,"aria-hidden":`true`}),X(e)]});function es({board:e,card:t}){let n=B(!1),r=t.runs.nodes,i=n.value?r:r.slice(0,Xo);return J(`section`,{"aria-labelledby":`runs`,children:[J(`h3`,{id:`runs`,children:`Runs`}),i.map(n=>J(`article`,{class:`run`,children:[J(`a`,{href:q(`boards`,e.id,t.id,n.id),children:[J($o,{status:n.status}),J(`span`,{class:`grow`,children:[X(n.kind),n.profile&&` by ${n.profile.name}`]}),n.startedAt&&J(`span`,{class:`soft`,children:Po((n.finishedAt?Date.parse(n.finishedAt):ko.value)-Date.parse(n.startedAt))}),J(No,{at:n.createdAt})]}),(n.summary??n.failureReason)&&J(`p`,{class:`run-summary`,children:n.summary??n.failureReason}),Qo(n)&&n.whyNotRunning[0]&&J(`p`,{class:`run-summary`,children:n.whyNotRunning[0].message}),e.mayWrite.value&&J(ts,{run:n,chosen:t.chosenRun?.id,isChoice:t.stage===`REVIEW`&&r.length>1})]},n.id)),i.length<r.length&&J(`button`,{class:`quiet`,onClick:()=>n.value=!0,children:[r.length-i.length,` earlier runs`]}),e.mayWrite.value&&J(ns,{board:e,card:t})]})}function ts({run:e,chosen:t,isChoice:n}){let{id:r,status:i}=e,a=!Qo(e),o=i===`FAILED`||i===`CANCELLED`,s=i===`RUNNING`||e.waitReason===`DECISION`;return J(`p`,{class:`actions`,children:[[{name:`Stop`,icon:`stop`,document:Sn,when:!a&&!e.stopRequestedAt},{name:`Conclude`,icon:`check`,document:Cn,when:s},{name:`Resume`,icon:`play`,document:Tn,when:o},{name:`Retry`,icon:`retry`,document:wn,when:a},{name:`Choose`,icon:`bolt`,document:En,when:i===`SUCCEEDED`&&n&&t!==r}].filter(({when:e})=>e).map(({name:e,icon:t,document:n})=>J(`button`,{class:`button`,onClick:()=>void Wo(`${e}: not done`,n,{id:r}),children:[J(Y,{name:t,size:13}),` `,e]},e)),t===r&&J(`span`,{class:`chip is-done`,children:`Chosen`})]})}function ns({board:e,card:t}){let n=B(``),r=B(new Set),i=t.stage===`REVIEW`,a=e.facts.value?.workspace?.agentProfiles.filter(({enabled:e})=>e)??[],o=n.value.trim(),s=async()=>{let e=r.value.size?[...r.value]:null;await Wo(`The run was not started`,xn,{input:{cardId:t.id,instruction:o||null,profileIds:e}},`A run is queued`)&&(n.value=``)},c=async()=>{let e=`${t.name} goes back with your feedback`;await Wo(`The card was not sent back`,Dn,{id:t.id,feedback:o},e)&&(n.value=``)};return J(`form`,{class:`comment`,onSubmit:e=>e.preventDefault(),children:[J(`textarea`,{"aria-label":i?`Feedback, or an instruction`:`An instruction for the agent`,placeholder:i?`Feedback for the agent …`:`An instruction for the agent, if the card is not enough …`,rows:2,dir:`auto`,value:n.value,onInput:e=>n.value=e.currentTarget.value}),a.length>1&&J(`p`,{class:`actions`,role:`group`,"aria-label":`Agents`,children:a.map(({id:e,name:t})=>J(`button`,{type:`button`,class:`pill`,"aria-pressed":r.value.has(e),onClick:()=>{let t=new Set(r.value);t.delete(e)||t.add(e),r.value=t},children:t},e))}),J(`p`,{class:`actions`,children:[i&&J(`button`,{class:`button`,disabled:!o,onClick:()=>void c(),children:`Reject with feedback`}),J(`button`,{class:`button`,onClick:()=>void s(),children:[J(Y,{name:`play`,size:13}),` Start a run`]})]})]})}var rs={CardCreated:`created the card`,CardArchived:`archived the card`,LabelAdded:`added the label`,LabelRemoved:`removed the label`,AssigneeAdded:`assigned`,AssigneeRemoved:`unassigned`,SubtaskCreated:`added the subtask`,SubtaskDeleted:`deleted the subtask`,QuestionAsked:`asked`,RunQueued:`queued a run`,RunClaimed:`took the run`,RunStarted:`began to work`,RunSucceeded:`finished the run`,RunFailed:`failed`},is=e=>rs[e]??e.replace(/([a-z])([A-Z])/g,`$1 $2`).toLowerCase(),as=e=>e==null||e===``?`nothing`:/^[A-Z_]+$/.test(e)?X(e):e;function os({type:e,changes:t,about:n}){if(e===`CardMoved`){let e=t.find(({field:e})=>/stage/i.test(e));return e?`moved the card from ${as(e.before)} to ${as(e.after)}`:`moved the card`}let[r]=t;if(r&&/Updated$/.test(e)){let e=r.field.replace(/([A-Z])/g,` $1`).toLowerCase();return(r.before?.length??0)+(r.after?.length??0)>80?`changed ${e}`:`changed ${e} from ${as(r.before)} to ${as(r.after)}`}return n?`${is(e)} ${n}`:is(e)}var ss=({entries:e})=>J(`ol`,{class:`timeline`,children:e.map((e,t)=>J(`li`,{class:e.__typename===`TimelineMessage`?`message`:``,children:[J(`p`,{children:[J(`strong`,{children:e.actor.name}),` `,e.__typename===`TimelineChange`&&J(`span`,{dir:`auto`,children:os(e)}),` `,J(No,{at:e.at})]}),e.__typename===`TimelineMessage`&&e.message&&J(`div`,{class:`bubble`,children:e.message.deletedAt?J(`em`,{children:`Deleted`}):J(Jo,{text:e.message.body})})]},t))}),cs=[`CRITICAL`,`HIGH`,`MEDIUM`,`LOW`,`NONE`],ls=[`FEATURE`,`BUG`,`CHORE`,`DOCS`,`REFACTOR`,`TEST`,`REVIEW`],us=[`SMALL`,`MEDIUM`,`LARGE`];function ds({board:e,open:t}){let n=Ta(null),r=()=>{ji(`boards`,e.id),document.querySelector(`[data-card="${t.id}"] a`)?.focus()};Ca(()=>n.current?.focus(),[t]);let i=t.detail.value;return J(`aside`,{ref:n,class:`drawer`,tabIndex:-1,"aria-label":i?`${i.name} ${i.title}`:`Card`,onKeyDown:e=>e.key===`Escape`&&!e.defaultPrevented&&r(),children:[J(`header`,{class:`drawer-head`,children:[J(`span`,{class:`card-name`,children:i?.name}),i?.parent&&J(`a`,{class:`card-parent`,href:q(`boards`,e.id,i.parent.id),children:i.parent.title}),J(`span`,{class:`grow`}),i&&e.mayWrite.value&&J(fs,{board:e,card:i}),J(`button`,{class:`quiet`,"aria-label":`Close the card`,onClick:r,children:J(Y,{name:`close`})})]}),t.failure.value&&J(`p`,{class:`notice`,children:t.failure.value}),i?J(ps,{board:e,open:t,card:i}):J(`div`,{class:`drawer-wait`,"aria-busy":`true`})]})}var fs=({board:e,card:t})=>J(co,{label:`More`,class:`quiet`,children:[J(`button`,{class:`choice`,onClick:()=>void navigator.clipboard?.writeText(location.href),children:`Copy the link`}),J(`button`,{class:`choice danger`,onClick:async()=>{await Wo(`The card was not archived`,bn,{id:t.id},`${t.name} is archived`)&&ji(`boards`,e.id)},children:`Archive`})]});function ps({board:e,open:t,card:n}){let r=e.mayWrite.value,i=n.questions.nodes.filter(e=>e.status===`OPEN`);return J(`div`,{class:`drawer-body`,children:[J(ms,{open:t,card:n,readOnly:!r},n.id),J(gs,{board:e,open:t,card:n}),n.agentState!==`IDLE`&&J(Yi,{state:n.agentState,activity:n.agentActivity}),i.map(e=>J(Yo,{question:e,hasCard:!1},e.id)),J(ys,{open:t,card:n,readOnly:!r},`text ${n.id}`),J(bs,{card:n,mayWrite:r}),J(xs,{title:`Part of it`,cards:n.children,board:e}),J(xs,{title:`Blocked by`,cards:n.blockedBy,board:e}),J(xs,{title:`Blocks`,cards:n.blocks,board:e}),J(es,{board:e,card:n}),J(Ss,{card:n,mayWrite:r})]})}function ms({open:e,card:t,readOnly:n}){let r=Ta(null),i=Ta(!1);Ca(()=>{!i.current&&r.current&&(r.current.value=t.title)},[t.title]);let a=async()=>{let n=r.current.value.trim();i.current=!1,n&&n!==t.title&&await e.update({title:n})||(r.current.value=t.title)};return J(`textarea`,{ref:r,class:`drawer-title`,"aria-label":`Title`,rows:1,dir:`auto`,maxLength:255,readOnly:n,onInput:()=>i.current=!0,onBlur:()=>void a(),onKeyDown:e=>{e.key===`Enter`&&e.preventDefault(),e.key===`Escape`&&i.current&&(e.preventDefault(),e.currentTarget.value=t.title),(e.key===`Enter`||e.key===`Escape`)&&e.currentTarget.blur()}})}var hs=({name:e,children:t})=>J(`div`,{class:`property`,children:[J(`dt`,{children:e}),J(`dd`,{children:t})]});function gs({board:e,open:t,card:n}){let r=!e.mayWrite.value,i=e.facts.value?.workspace,a=i?.members.nodes.flatMap(({user:e})=>e?[e]:[])??[],o=e.columns.value.find(({id:e})=>e===n.columnId),s=e=>n.moves.find(t=>t.stage===e&&!t.allowed)?.reasons[0]?.message;return J(`dl`,{class:`properties`,children:[J(hs,{name:`Stage`,children:J(co,{label:o?.name??X(n.stage),class:`value`,children:e.columns.value.map(t=>J(`button`,{class:`choice`,disabled:r||t.id===n.columnId||!!s(t.stage),title:s(t.stage),onClick:()=>void e.move(n.id,t.id,null),children:[J(Li,{stage:t.stage}),t.name]},t.id))})}),J(hs,{name:`Priority`,children:J(`span`,{class:`select`,children:[J(zi,{priority:n.priority}),J(_s,{isFixed:r,name:`Priority`,of:cs,value:n.priority,change:e=>t.update({priority:e})})]})}),J(hs,{name:`People`,children:J(co,{label:n.assignees.map(Hi).join(`, `)||`Nobody`,class:`value`,children:a.map(e=>{let t=n.assignees.some(({id:t})=>t===e.id),i=t?hn:mn;return J(vs,{isOn:t,isFixed:r,change:()=>Wo(`The people were not changed`,i,{cardId:n.id,userId:e.id}),children:[J(Gi,{person:e}),` `,Hi(e)]},e.id)})})}),J(hs,{name:`Labels`,children:J(co,{label:n.labels.map(({name:e})=>e).join(`, `)||`None`,class:`value`,children:(i?.labels??[]).map(e=>{let t=n.labels.some(({id:t})=>t===e.id),i=t?pn:fn;return J(vs,{isOn:t,isFixed:r,change:()=>Wo(`The labels were not changed`,i,{cardId:n.id,labelId:e.id}),children:J(Ki,{label:e})},e.id)})})}),J(hs,{name:`Due`,children:J(`input`,{type:`date`,"aria-label":`Due`,class:`value`,value:n.dueOn??``,disabled:r,onChange:e=>void t.update({dueOn:e.currentTarget.value||null})})}),J(hs,{name:`Type`,children:J(_s,{isFixed:r,name:`Type`,of:ls,value:n.type,change:e=>t.update({type:e})})}),J(hs,{name:`Size`,children:J(_s,{isFixed:r,name:`Size`,of:us,value:n.size??null,none:!0,change:e=>t.update({size:e})})}),J(hs,{name:`Points`,children:J(`input`,{type:`number`,"aria-label":`Story points`,min:0,max:99,class:`value`,placeholder:`None`,value:n.storyPoints??``,disabled:r,onChange:e=>{let n=e.currentTarget.value;t.update({storyPoints:n===``?null:Number(n)})}})})]})}function _s({name:e,of:t,value:n,none:r,isFixed:i,change:a}){return J(`select`,{"aria-label":e,value:n??``,disabled:i,onChange:e=>void a(e.currentTarget.value||null),children:[r&&J(`option`,{value:``,children:`None`}),t.map(e=>J(`option`,{value:e,children:X(e)},e))]})}var vs=({isOn:e,isFixed:t,change:n,children:r})=>J(`label`,{class:`choice`,children:[J(`input`,{type:`checkbox`,checked:e,disabled:t,onChange:()=>void n()}),r]});function ys({open:e,card:t,readOnly:n}){let r=B(null);if(r.value===null)return J(`section`,{class:`description`,"aria-label":`Description`,children:[t.description?J(Jo,{text:t.description}):J(`p`,{class:`calm`,children:`No description.`}),!n&&J(`button`,{class:`quiet edit`,onClick:()=>r.value=t.description,children:`Edit`})]});let i=async()=>{await e.update({description:r.value})&&(r.value=null)};return J(`section`,{class:`description`,children:[J(`textarea`,{"aria-label":`Description, in Markdown`,rows:8,dir:`auto`,value:r.value,autoFocus:!0,onInput:e=>r.value=e.currentTarget.value,onKeyDown:e=>{e.key===`Escape`&&(e.preventDefault(),r.value=null),e.key===`Enter`&&(e.metaKey||e.ctrlKey)&&i()}}),J(`p`,{class:`actions`,children:[J(`button`,{class:`primary`,onClick:()=>void i(),children:`Keep`}),J(`button`,{class:`button`,onClick:()=>r.value=null,children:`Cancel`})]})]})}function bs({card:e,mayWrite:t}){let{done:n,total:r}=e.subtaskCount,i=async t=>{t.preventDefault();let n=t.currentTarget,r=new FormData(n).get(`title`).trim();r&&await Wo(`The subtask was not added`,gn,{cardId:e.id,title:r})&&n.reset()};return J(`section`,{"aria-labelledby":`subtasks`,children:[J(`h3`,{id:`subtasks`,children:[`Subtasks`,r>0&&J(`span`,{class:`chip ${n===r?`is-done`:``}`,children:[J(Bi,{done:n,total:r}),` `,n,`/`,r]})]}),J(`ul`,{class:`subtasks`,children:e.subtasks.map(e=>J(`li`,{children:[J(`label`,{class:e.completed?`is-done`:``,children:[J(`input`,{type:`checkbox`,checked:e.completed,disabled:!t,onChange:t=>void Wo(`The subtask was not changed`,_n,{id:e.id,completed:t.currentTarget.checked})}),J(`span`,{dir:`auto`,children:e.title}),e.phase&&J(`small`,{children:e.phase})]}),t&&J(`button`,{class:`quiet`,"aria-label":`Delete ${e.title}`,onClick:()=>void Wo(`The subtask was not deleted`,vn,{id:e.id}),children:J(Y,{name:`close`,size:13})})]},e.id))}),t&&J(`form`,{class:`inline`,onSubmit:e=>void i(e),children:J(`input`,{name:`title`,"aria-label":`A new subtask`,placeholder:`Add a subtask`,maxLength:255,autoComplete:`off`})})]})}function xs({title:e,cards:t,board:n}){return t.length?J(`section`,{children:[J(`h3`,{children:e}),J(`ul`,{class:`list`,children:t.map(e=>J(`li`,{children:J(`a`,{href:q(`boards`,n.id,e.id),children:[J(Li,{stage:e.stage}),J(`span`,{class:`card-name`,children:e.name}),J(`span`,{class:`grow`,children:e.title})]})},e.id))})]}):null}function Ss({card:e,mayWrite:t}){let n=B(``),r=async t=>{t.preventDefault();let r=n.value.trim();r&&await Wo(`The comment was not posted`,yn,{cardId:e.id,body:r})&&(n.value=``)};return J(`section`,{"aria-labelledby":`history`,children:[J(`h3`,{id:`history`,children:`History`}),t&&J(`form`,{class:`comment`,onSubmit:e=>void r(e),children:[J(`textarea`,{"aria-label":`A comment, in Markdown`,placeholder:`Comment …`,rows:2,dir:`auto`,value:n.value,onInput:e=>n.value=e.currentTarget.value,onKeyDown:e=>e.key===`Enter`&&(e.metaKey||e.ctrlKey)&&void r(e)}),J(`button`,{class:`button`,disabled:!n.value.trim(),children:`Comment`})]}),J(ss,{entries:e.timeline.nodes})]})}var Cs={QUESTION_ASKED:`comment`,RUN_FAILED:`close`,RUN_SUCCEEDED:`check`,MENTIONED:`comment`};function ws(){let e=hi.value,t=e?.notifications.nodes??[],n=`Notification`in window&&Notification.permission==="default";return J(`div`,{class:`page inbox`,children:[J(`section`,{"aria-labelledby":`open-questions`,children:[J(`h2`,{id:`open-questions`,children:[`Questions `,J(`span`,{class:`count`,children:e?.questions.totalCount??``})]}),e&&gi.value.length===0&&J(`p`,{class:`calm`,children:`No agent waits for an answer.`}),gi.value.map(e=>J(Yo,{question:e},e.id))]}),J(`section`,{"aria-labelledby":`notifications`,children:[J(`header`,{children:[J(`h2`,{id:`notifications`,children:[`Notifications `,J(`span`,{class:`count`,children:e?.unreadCount||``})]}),n&&J(`button`,{class:`button`,onClick:()=>void Notification.requestPermission(),children:`Show them in this browser`}),!!e?.unreadCount&&J(`button`,{class:`button`,onClick:()=>void Ti(),children:`Mark all as read`})]}),e&&t.length===0&&J(`p`,{class:`calm`,children:`Nothing yet.`}),J(`ul`,{class:`list`,children:t.map(e=>J(`li`,{class:e.readAt?``:`is-unread`,children:J(`a`,{href:e.boardId?q(`boards`,e.boardId,e.cardId,e.runId):`#/inbox`,children:[J(Y,{name:Cs[e.type]??`bell`}),J(`span`,{class:`grow`,children:[J(`strong`,{children:e.title}),` `,e.body]}),J(No,{at:e.createdAt})]})},e.id))})]})]})}var Ts={inputTokens:0,outputTokens:0,cachedTokens:0,costUsd:0,contextUsed:null,contextWindow:null,model:null},Es=new Set([`RunStatusLine`,`RunAttempt`,`RunLimit`,`RunCommitLine`,`RunFileChanged`,`RunSubagent`,`RunQuestion`,`RunApproval`,`RunKnowledge`]),Ds=class{id;facts=L(null);failure=L(null);entries=[];changed=L(0);todos=L([]);totals=L(Ts);isOver=L(!1);speed=L(null);byKey=new Map;used=new Map;arrived=[];frame;stop=()=>{};closed=!1;cursor=`0`;constructor(e){this.id=e,this.load(),this.listen()}close(){this.closed=!0,this.stop(),clearTimeout(this.frame)}async load(){try{let{run:e}=await G(Fn,{id:this.id});if(this.closed)return;this.facts.value=e??null,this.failure.value=e?null:`This run does not exist, or you may not see it.`}catch(e){this.failure.value=e.message}}replay(e){this.stop(),P(()=>{this.entries.length=this.arrived.length=0,this.byKey.clear(),this.used.clear(),this.todos.value=[],this.totals.value=Ts,this.isOver.value=!1,this.speed.value=e,this.cursor=`0`,this.changed.value++}),this.listen()}listen(){let e=this.speed.peek(),t=e=>{this.arrived.push(e),this.frame??=setTimeout(()=>this.apply(),16)},n=e=>{this.closed||e===`NOT_FOUND`||e===`FORBIDDEN`||this.isOver.peek()||setTimeout(()=>!this.closed&&!this.isOver.peek()&&this.listen(),1e3)};this.stop=e===null?wr(In,{id:this.id,after:this.cursor},{next:e=>t(e.runFeed),ended:n}):wr(Ln,{id:this.id,speed:e,after:this.cursor===`0`?null:this.cursor},{next:e=>t(e.replayRun),ended:n})}apply(){this.frame=void 0;let e=performance.now()+8;P(()=>{let t=0;for(;t<this.arrived.length&&(t%32||performance.now()<e);)this.show(this.arrived[t++]);this.arrived.splice(0,t),this.changed.value++}),this.arrived.length&&(this.frame=setTimeout(()=>this.apply(),16))}entry(e,t,n){let r=this.byKey.get(e);if(r)return r.version++,r;let i={key:e,kind:t,at:n.at,agent:n.agent??null,text:``,version:0};return this.byKey.set(e,i),this.entries.push(i),i}show(e){switch(this.cursor=e.cursor,e.__typename){case`RunChunk`:return this.showChunk(e);case`RunOutput`:e.tool?this.addOutput(e.tool,e,e.text):this.entry(`${e.item}/${e.part}`,`text`,e).text=e.text;return;case`RunThinking`:this.entry(`${e.item}/${e.part}`,`thinking`,e).text=e.text;return;case`RunToolStarted`:{let t=this.entry(`tool ${e.tool??e.seq}`,`tool`,e),n=t.tool;t.text=e.text,t.tool={name:e.name??`tool`,kind:e.kind,input:e.input,status:n?.status??null,endedAt:n?.endedAt??null,output:n?.output??``};return}case`RunToolFinished`:{let t=this.tool(e.tool??String(e.seq),e);t.tool={...t.tool,status:e.result,endedAt:e.at},e.text&&!t.tool.output&&(t.tool.output=e.text.slice(-4e4));return}case`RunTodo`:this.todos.value=e.items;return;case`RunUsage`:return this.addUsage(e);case`RunPrompt`:this.entry(`line ${e.seq}`,`prompt`,e).text=e.text;return;case`RunEnded`:this.entry(`end`,`end`,e).text=e.summary??e.reason??e.status,this.isOver.value=!0,this.load();return;case`RunError`:case`RunWarning`:this.entry(`line ${e.seq}`,e.__typename===`RunError`?`error`:`warning`,e).text=e.text;return;default:this.note(e)}}note(e){let t=Es.has(e.__typename)?Os(e).trim():``;t&&this.entries.at(-1)?.text!==t&&(this.entry(`line ${e.seq}`,`note`,e).text=t)}showChunk(e){if(e.type===`OUTPUT`&&e.tool)return;let t=e.type===`THINKING`?`thinking`:`text`,n=this.entry(`${e.item}/${e.part}`,t,e);n.text=[...n.text].slice(0,e.offset).join(``)+e.chunk}tool(e,t){let n=this.entry(`tool ${e}`,`tool`,t);return n.tool??={name:`tool`,kind:`OTHER`,input:null,status:null,endedAt:null,output:``},n}addOutput(e,t,n){let r=this.tool(e,t),i=r.tool.output,a=i+(i&&!i.endsWith(`
`)?`
`:``)+n;r.tool={...r.tool,output:a.slice(-4e4)}}addUsage(e){this.used.set(`${e.attempt} ${e.agent??``} ${e.model??``}`,{inputTokens:e.inputTokens,outputTokens:e.outputTokens,cachedTokens:e.cachedTokens,costUsd:e.costUsd??0,contextUsed:e.contextUsed??null,contextWindow:e.contextWindow??null,model:e.model??null});let t={...Ts};for(let e of this.used.values())t.inputTokens+=e.inputTokens,t.outputTokens+=e.outputTokens,t.cachedTokens+=e.cachedTokens,t.costUsd+=e.costUsd,t.contextUsed=e.contextUsed??t.contextUsed,t.contextWindow=e.contextWindow??t.contextWindow,t.model=e.model??t.model;this.totals.value=t}};function Os(e){if(e.__typename===`RunFileChanged`){let t=e.additions==null?``:` +${e.additions} −${e.deletions??0}`;return`${e.change.toLowerCase()} ${e.path}${t}`}return e.__typename===`RunCommitLine`?`${e.what.toLowerCase().replace(`_`,` `)} ${e.sha?.slice(0,8)??``} ${e.text}`:e.__typename===`RunSubagent`?`${e.name??`A sub-agent`} ${e.phase.toLowerCase()} ${e.text}`:e.__typename===`RunStatusLine`?e.text||e.state.toLowerCase():e.__typename===`RunAttempt`?`attempt ${e.number} ${e.phase.toLowerCase()} ${e.text}`:`text`in e?e.text:``}var ks=600,As=40,js=class{estimate;known=[];starts=[0];constructor(e){this.estimate=e}set(e,t){return this.known[e]!==t&&(this.known[e]=t,this.starts.length=Math.min(this.starts.length,e+1),!0)}startOf(e){for(let t=this.starts.length;t<=e;t++)this.starts[t]=this.starts[t-1]+(this.known[t-1]??this.estimate);return this.starts[e]}at(e,t){let n=0,r=t;for(;n<r;){let t=n+r>>1;this.startOf(t+1)<=e?n=t+1:r=t}return n}};function Ms({count:e,estimate:t,keyOf:n,row:r,label:i}){let[,a]=Sa(e=>e+1,0),o=Ta(null),s=Ta(!0),c=Ea(()=>new js(t),[t]),l=Ea(()=>new ResizeObserver(e=>{let t=!1;for(let{target:n,borderBoxSize:r}of e){let e=Number(n.dataset.index);n.isConnected&&c.set(e,r[0].blockSize)&&(t=!0)}t&&a()}),[c]),u=o.current,d=u?.scrollTop??0,f=u?.clientHeight??800,p=c.startOf(e),m=s.current?Math.max(0,p-f):d,h=c.at(Math.max(0,m-ks),e),g=Math.min(e,c.at(m+f+ks,e)+1);wa(()=>{s.current&&o.current&&(o.current.scrollTop=o.current.scrollHeight)});let _=[];for(let e=h;e<g;e++)_.push(J(`div`,{"data-index":e,role:`listitem`,ref:e=>void(e&&l.observe(e)),children:r(e)},n(e)));return J(`div`,{ref:o,class:`virtual`,tabIndex:0,role:`region`,"aria-label":i,onScroll:()=>{let{scrollTop:e,scrollHeight:t,clientHeight:n}=o.current;s.current=t-e-n<As,a()},children:J(`div`,{style:{blockSize:`${p}px`},children:J(`div`,{role:`list`,style:{transform:`translateY(${c.startOf(h)}px)`},children:_})})})}var Ns=400;function Ps(e){let t=[];for(let n of e.split(`
`))n.startsWith(`diff --git `)?t.push({path:n.replace(/^.* b\//,``),lines:[]}):t.at(-1)?.lines.push(n);return t}function Fs({text:e,files:t}){let n=Ps(e);return n.length?J(`div`,{class:`patch`,tabIndex:0,role:`region`,"aria-label":`Changes`,children:n.map(e=>J(Ls,{file:e},e.path))}):J(`p`,{class:`patch calm`,children:t.map(({path:e})=>e).join(`, `)||`No file was changed.`})}var Is={"+":`is-added`,"-":`is-removed`,"@":`is-place`};function Ls({file:e}){let t=B(!1),n=e.lines.findIndex(e=>e.startsWith(`@@`)),r=n<0?e.lines:e.lines.slice(n),i=t.value?r:r.slice(0,Ns),a=e=>r.filter(t=>t.startsWith(e)).length;return J(`section`,{class:`file`,children:[J(`h3`,{children:[J(Y,{name:`file`,size:14}),J(`span`,{class:`grow`,children:e.path}),J(`span`,{class:`added`,children:[`+`,a(`+`)]}),J(`span`,{class:`removed`,children:[`−`,a(`-`)]})]}),J(`pre`,{tabIndex:0,children:i.map((e,t)=>J(`span`,{class:Is[e[0]??``],children:[e,`
`]},t))}),i.length<r.length&&J(`button`,{class:`button`,onClick:()=>t.value=!0,children:[r.length-i.length,` more lines`]})]})}var Rs=[1,5,20,100],zs={DONE:`✓`,IN_PROGRESS:`◐`,PENDING:`○`,CANCELLED:`×`};function Bs({board:e,id:t}){let n=Ea(()=>new Ds(t),[t]),r=B(`log`);Ca(()=>()=>n.close(),[n]);let{id:i,count:a,type:o}=e.touched.value,s=n.facts.value?.card?.id;Ca(()=>{i===s&&o!==`RunProgressed`&&n.load()},[i===s&&a]);let c=n.facts.value;return c?J(`section`,{class:`run-view`,"aria-label":`Run`,children:[J(Vs,{board:e,run:n,facts:c,shown:r.value,show:e=>r.value=e}),J(`div`,{class:`run-columns`,children:[r.value===`log`?J(Hs,{run:n}):J(Fs,{text:c.patch??``,files:c.changed}),J(Js,{board:e,run:n,facts:c})]})]}):J(`p`,{class:`page calm`,children:n.failure.value??`Reading the run …`})}function Vs({board:e,run:t,facts:n,shown:r,show:i}){return J(`header`,{class:`run-head`,children:[J(`a`,{class:`quiet`,href:q(`boards`,e.id,n.card?.id),"aria-label":`Back to the card`,children:J(Y,{name:`chevron`})}),J(`div`,{class:`grow`,children:J(`h2`,{children:[J(`span`,{class:`card-name`,children:n.card?.name}),` `,n.card?.title]})}),J($o,{status:n.status}),J(`div`,{class:`tabs`,role:`group`,"aria-label":`Show`,children:[J(`button`,{class:`pill`,"aria-pressed":r===`log`,onClick:()=>i(`log`),children:`Log`}),J(`button`,{class:`pill`,"aria-pressed":r===`changes`,onClick:()=>i(`changes`),children:[`Changes`,n.changed.length>0&&` ${n.changed.length}`]})]}),!Qo(n)&&J(`div`,{class:`tabs`,role:`group`,"aria-label":`Replay`,children:[J(Y,{name:`play`}),Rs.map(e=>J(`button`,{class:`pill`,"aria-pressed":t.speed.value===e,"aria-label":`Replay ${e} times as fast`,onClick:()=>t.replay(t.speed.value===e?null:e),children:[e,`×`]},e))]})]})}function Hs({run:e}){let t=B(new Set);e.changed.value;let{entries:n}=e,r=e=>{let n=new Set(t.value);n.delete(e)||n.add(e),t.value=n};return n.length?J(Ms,{label:`Log`,count:n.length,estimate:52,keyOf:e=>n[e].key,row:e=>J(Ws,{entry:n[e],isOpen:t.value.has(n[e].key),toggle:r})}):J(`p`,{class:`virtual calm`,children:e.isOver.value?`The log is empty.`:`Nothing yet.`})}var Us={note:`bolt`,warning:`bell`,error:`close`,end:`check`};function Ws({entry:e,isOpen:t,toggle:n}){let{kind:r,text:i,agent:a}=e;return J(`article`,{class:`entry entry-${r} ${a?`is-nested`:``}`,children:[a&&J(`span`,{class:`entry-agent`,children:a}),r===`text`||r===`prompt`?J(Jo,{text:i}):r===`thinking`?J(Gs,{title:`Thought`,hint:i.slice(0,120),isOpen:t,toggle:()=>n(e.key),children:t&&J(Jo,{text:i})}):e.tool?J(qs,{entry:e,isOpen:t,toggle:n}):J(`p`,{class:`note`,children:[J(Y,{name:Us[r]??`bolt`,size:13}),J(`span`,{dir:`auto`,children:i})]})]})}var Gs=({title:e,hint:t,end:n,isOpen:r,toggle:i,children:a})=>J(j,{children:[J(`button`,{class:`fold`,"aria-expanded":r,onClick:i,children:[J(Y,{name:`chevron`,size:13}),J(`span`,{class:`fold-title`,children:e}),J(`span`,{class:`grow soft`,children:t}),n]}),a]});function Ks(e,t){if(e&&typeof e==`object`){let t=e;for(let e of[`command`,`file_path`,`path`,`pattern`,`query`,`url`,`description`,`prompt`])if(typeof t[e]==`string`)return t[e]}return t}function qs({entry:e,isOpen:t,toggle:n}){let r=e.tool,i=r.status===null,a=(r.endedAt?Date.parse(r.endedAt):i?ko.value:0)-Date.parse(e.at),o=r.output.split(`
`);return J(`div`,{class:`tool tool-${(r.status??`running`).toLowerCase()}`,children:J(Gs,{title:r.name,hint:Ks(r.input,e.text),isOpen:t,toggle:()=>n(e.key),end:J(`span`,{class:`tool-end`,children:[J(`span`,{class:`agent-dot`,"aria-hidden":`true`}),i?`runs`:X(r.status),` `,a>0&&Po(a)]}),children:[t&&r.input!=null&&J(`pre`,{tabIndex:0,children:JSON.stringify(r.input,null,2)}),r.output&&J(`pre`,{tabIndex:0,children:t?r.output:o.slice(-4).join(`
`)})]})})}function Js({board:e,run:t,facts:n}){let r=t.totals.value,i=e=>e.toLocaleString(),a=n.startedAt&&Date.parse(n.startedAt),o=n.finishedAt?Date.parse(n.finishedAt):ko.value,s=r.contextWindow&&Math.round(100*(r.contextUsed??0)/r.contextWindow),c=[[`Time`,a&&Po(o-a)],[`Tokens in`,i(r.inputTokens)],[`Tokens out`,i(r.outputTokens)],[`From cache`,r.cachedTokens&&i(r.cachedTokens)],[`Cost`,r.costUsd&&`$${r.costUsd.toFixed(3)}`],[`Context`,s&&`${s}%`],[`Model`,r.model],[`Branch`,n.branch],[`Worker`,n.worker?.name],[`Attempt`,n.attempt]].filter(([,e])=>e);return J(`aside`,{class:`run-aside`,"aria-label":`About the run`,children:[e.mayWrite.value&&J(ts,{run:n,isChoice:n.siblings.length>0}),n.questions.filter(({status:e})=>e===`OPEN`).map(e=>J(Yo,{question:e,hasCard:!1},e.id)),n.whyNotRunning.map(({message:e})=>J(`p`,{class:`calm`,children:e},e)),(n.summary??n.failureReason)&&J(`section`,{children:[J(`h3`,{children:n.summary?`Summary`:`Failure`}),J(Jo,{text:n.summary??n.failureReason})]}),t.todos.value.length>0&&J(`section`,{children:[J(`h3`,{children:`Plan`}),J(`ol`,{class:`todos`,children:t.todos.value.map(({key:e,state:t,text:n})=>J(`li`,{class:`todo-${t.toLowerCase()}`,children:[J(`span`,{"aria-hidden":`true`,children:zs[t]}),J(`span`,{dir:`auto`,children:n}),J(`span`,{class:`hidden`,children:X(t)})]},e))})]}),J(`section`,{children:[J(`h3`,{children:`Figures`}),J(`dl`,{class:`figures`,children:c.map(([e,t])=>J(`div`,{children:[J(`dt`,{children:e}),J(`dd`,{children:t})]},e))})]}),n.warnings.map(e=>J(`p`,{class:`warning`,children:e},e)),n.siblings.length>0&&J(`section`,{children:[J(`h3`,{children:`Beside it`}),J(`ul`,{class:`list`,children:n.siblings.map(t=>J(`li`,{children:J(`a`,{href:q(`boards`,e.id,n.card?.id,t.id),children:[J($o,{status:t.status}),J(`span`,{class:`grow`,children:t.profile?.name??X(t.kind)}),J(No,{at:t.createdAt})]})},t.id))})]})]})}var Ys=120,Xs=12,Zs=L(!1),Qs=e=>e instanceof HTMLElement&&/^(INPUT|TEXTAREA|SELECT)$/.test(e.tagName);addEventListener(`keydown`,e=>{let t=e.key===`/`&&!Qs(e.target)&&!e.ctrlKey&&!e.metaKey,n=e.key.toLowerCase()===`k`&&(e.ctrlKey||e.metaKey);(t||n)&&(e.preventDefault(),Zs.value=!0)});function $s({board:e}){let t=Ta(null);return Ca(()=>{Zs.value&&!t.current?.open&&t.current?.showModal(),Zs.value||t.current?.close()},[Zs.value]),J(`dialog`,{ref:t,class:`search`,"aria-label":`Search`,onClose:()=>Zs.value=!1,onClick:e=>e.target===t.current&&t.current?.close(),children:Zs.value&&J(ec,{board:e})})}function ec({board:e}){let t=B(``),n=B([]),r=B(0),i=t.value.trim().toLowerCase();Ca(()=>{if(r.value=0,!i){n.value=[];return}let e=setTimeout(async()=>{let{cards:e}=await G(ln,{text:i});n.value=e.nodes.map(e=>({...e,key:e.id,path:[`boards`,e.boardId,e.id]}))},Ys);return()=>clearTimeout(e)},[i]);let a=e?[...e.cards.values()].map(e=>e.peek()).filter(e=>i&&`${e.name} ${e.title}`.toLowerCase().includes(i)).map(t=>({key:t.id,name:t.name,title:t.title,stage:t.stage,path:[`boards`,e.id,t.id]})):[],o=[...oi.value.map(({id:e,key:t,name:n})=>({key:e,name:t,title:n,path:[`boards`,e]})),{key:`inbox`,name:``,title:`Inbox`,path:[`inbox`]},{key:`charts`,name:``,title:`Charts`,path:[`charts`]}].filter(({name:e,title:t})=>`${e} ${t}`.toLowerCase().includes(i)),s=new Set(a.map(({key:e})=>e)),c=[...a,...n.value.filter(({key:e})=>!s.has(e)),...o].slice(0,Xs),l=e=>{e&&(Zs.value=!1,ji(...e.path))};return J(j,{children:[J(`label`,{class:`search-field`,children:[J(Y,{name:`search`}),J(`input`,{role:`combobox`,"aria-label":`Search cards and boards`,"aria-expanded":`true`,"aria-controls":`hits`,"aria-activedescendant":c[r.value]&&`hit-${r.value}`,placeholder:`A card, a board …`,autoComplete:`off`,value:t.value,ref:e=>e?.focus(),onInput:e=>t.value=e.currentTarget.value,onKeyDown:e=>{let t=e.key===`ArrowDown`?1:e.key===`ArrowUp`?-1:0;if(t)r.value=(r.value+t+c.length)%Math.max(1,c.length);else if(e.key===`Enter`)l(c[r.value]);else return;e.preventDefault()}})]}),J(`ul`,{id:`hits`,role:`listbox`,"aria-label":`Found`,children:[c.map((e,t)=>J(`li`,{id:`hit-${t}`,role:`option`,"aria-selected":t===r.value,onPointerMove:()=>r.value=t,onClick:()=>l(e),children:[e.stage?J(Li,{stage:e.stage}):J(Y,{name:`board`}),e.name&&J(`span`,{class:`card-name`,children:e.name}),J(`span`,{class:`grow`,children:e.title})]},e.key)),!c.length&&J(`li`,{class:`none`,role:`option`,"aria-selected":`false`,children:`Nothing found`})]})]})}function tc({why:e}){let t=B(e),n=B(!1);return J(`main`,{class:`signin`,children:J(`form`,{onSubmit:async e=>{e.preventDefault();let r=new FormData(e.currentTarget);n.value=!0,t.value=await $n(r.get(`username`),r.get(`password`)),n.value=!1},children:[J(`img`,{src:new URL(new URL(`signal-Du6hEsRn.svg`,import.meta.url).href,``+import.meta.url).href,alt:``,width:`40`,height:`40`}),J(`h1`,{children:`Signalbox`}),J(`p`,{children:[`Open the link that the server printed. `,J(`code`,{children:`python server.py link`}),` prints a new one (`,J(`code`,{children:`link --demo`}),` for the demo).`]}),t.value&&J(`p`,{class:`refused`,role:`alert`,children:t}),J(`label`,{children:[`Username`,J(`input`,{name:`username`,autoComplete:`username`,required:!0})]}),J(`label`,{children:[`Password`,J(`input`,{name:`password`,type:`password`,autoComplete:`current-password`,required:!0})]}),J(`button`,{class:`primary`,disabled:n.value,children:`Sign in`}),J(`a`,{href:`graphql`,children:`GraphiQL`})]})})}var nc=L(null),rc=L(!1);z(()=>{let e=Yn.value?Oi.value:null,t=nc.peek();t?.id!==e&&(t?.close(),nc.value=e?new ni(e):null)});var ic=L(null);z(()=>{let e=ki.value,t=nc.value,n=ic.peek();(n?.id!==e||n?.board!==t)&&(n?.close(),ic.value=e&&t?new fi(t,e):null)}),z(()=>{Yn.value?si():ri.value=null}),z(()=>{let[e]=oi.value;e&&Di.value===``&&Mi(`boards`,e.id)});function ac({why:e}){return Yn.value?J(`div`,{class:`frame ${rc.value?`has-menu`:``}`,children:[J(`a`,{class:`skip`,href:`#main`,onClick:e=>(e.preventDefault(),document.getElementById(`main`)?.focus()),children:`To the board`}),J(sc,{}),J(`main`,{id:`main`,tabIndex:-1,children:[J(fc,{}),J(mc,{}),J(oc,{})]}),nc.value&&ic.value&&!Ai.value&&J(ds,{board:nc.value,open:ic.value}),J($s,{board:nc.value}),J(hc,{})]}):J(tc,{why:e})}function oc(){let e=nc.value;return Di.value===`inbox`?J(ws,{}):Di.value===`charts`?J(Ro,{}):e?Ai.value?J(Bs,{board:e,id:Ai.value},Ai.value):J(ho,{board:e},e.id):null}function sc(){return J(`nav`,{class:`side`,"aria-label":`Boards`,onClick:()=>rc.value=!1,children:[J(`div`,{class:`brand`,children:[J(`img`,{src:new URL(new URL(`signal-Du6hEsRn.svg`,import.meta.url).href,``+import.meta.url).href,alt:``,width:`22`,height:`22`}),`Signalbox`]}),J(`ul`,{children:[J(`li`,{children:J(`button`,{class:`quiet row`,onClick:()=>Zs.value=!0,children:[J(Y,{name:`search`}),J(`span`,{class:`grow`,children:`Search`}),J(`kbd`,{children:`/`})]})}),J(`li`,{children:J(`a`,{href:`#/inbox`,"aria-current":Di.value===`inbox`?`page`:void 0,children:[J(Y,{name:`inbox`}),J(`span`,{class:`grow`,children:`Inbox`}),vi.value>0&&J(`span`,{class:`badge`,children:vi})]})}),J(`li`,{children:J(`a`,{href:`#/charts`,"aria-current":Di.value===`charts`?`page`:void 0,children:[J(Y,{name:`chart`}),`Charts`]})})]}),ai.value.filter(e=>e.boards.nodes.length).map(e=>J(`section`,{children:[J(`h2`,{children:e.name}),J(`ul`,{children:e.boards.nodes.map(e=>J(`li`,{children:J(`a`,{href:q(`boards`,e.id),"aria-current":Oi.value===e.id?`page`:void 0,children:[J(`span`,{class:`key`,children:e.key}),J(`span`,{class:`grow`,children:e.name})]})},e.id))})]},e.id)),ii.value&&J(`p`,{class:`notice`,children:ii.value}),J(`div`,{class:`foot`,children:[J(`a`,{href:`graphql`,children:[J(Y,{name:`code`}),`GraphiQL`]}),J(lc,{}),J(uc,{})]})]})}var cc={system:`light`,light:`dark`,dark:`system`},lc=()=>J(`button`,{class:`quiet row`,onClick:()=>li.value=cc[li.value],children:[J(Y,{name:li.value===`light`?`sun`:li.value===`dark`?`moon`:`half`}),li.value===`system`?`System theme`:li.value===`light`?`Light theme`:`Dark theme`]});function uc(){let e=ri.value?.viewer.user;return J(`div`,{class:`me`,children:[e&&J(Gi,{person:e}),J(`span`,{class:`grow`,children:e?Hi(e):Yn.value}),J(`button`,{class:`quiet`,onClick:()=>void er().then(()=>ji()),children:`Sign out`})]})}var dc={inbox:`Inbox`,charts:`Charts`};function fc(){let e=nc.value?.facts.value;return J(`header`,{class:`top`,children:[J(`button`,{class:`quiet menu-button`,"aria-label":`Boards`,"aria-expanded":rc.value,onClick:()=>rc.value=!rc.value,children:J(Y,{name:`menu`})}),J(`div`,{class:`title`,children:[J(`h1`,{children:dc[Di.value]??e?.name??`Signalbox`}),Di.value===`boards`&&e?.description&&J(`p`,{children:e.description})]}),J(pc,{})]})}function pc(){let e=yr.value;return J(`span`,{class:`live live-${e}`,title:nc.value?`Event ${nc.value.seq.value}`:void 0,children:[J(`span`,{class:`agent-dot`,"aria-hidden":`true`}),e===`open`?`Live`:e===`lost`?`Offline`:`Connecting`]})}function mc(){return Qt(()=>yr.value===`lost`).value?J(`p`,{class:`banner`,role:`status`,children:`The connection to the server is lost. The board goes on from where it was as soon as the server answers.`}):null}var hc=()=>J(`div`,{class:`toasts`,role:`region`,"aria-label":`Messages`,"aria-live":`polite`,children:Yr.value.map(({id:e,title:t,details:n,kind:r})=>J(`div`,{class:`toast toast-${r}`,children:[J(`strong`,{children:t}),n.map(e=>J(`p`,{children:e},e)),J(`button`,{class:`quiet`,"aria-label":`Dismiss`,onClick:()=>Qr(e),children:J(Y,{name:`close`,size:14})})]},e))});fe(J(ac,{why:await Qn()}),document.getElementById(`page`));