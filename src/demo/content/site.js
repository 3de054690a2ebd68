// Pictures are put in place when they come near the window.
(function () {
  'use strict';
  function show(image) {
    var data = image.dataset;
    if (data.srcset) { image.srcset = data.srcset; }
    if (data.original || data.src) { image.src = data.original || data.src; }
    image.classList.remove('lazy', 'opacity_0');
  }
  var images = document.querySelectorAll('img.lazy');
  if (!('IntersectionObserver' in window)) { images.forEach(show); return; }
  var observer = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (entry.isIntersecting) { observer.unobserve(entry.target); show(entry.target); }
    });
  }, { rootMargin: '400px' });
  images.forEach(function (image) { observer.observe(image); });
})();
