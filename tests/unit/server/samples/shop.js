'use strict';
const fs = require('fs');

exports.load = function load(path, callback) {
  fs.readFile(path, 'utf8', (error, text) => {
    if (error) return callback(error);
    callback(null, JSON.parse(text));
  });
};

const retry = async (fn, times = 3) => {
  for (let i = 0; i < times; i++) {
    try {
      return await fn();
    } catch (error) {
      if (i === times - 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2 ** i * 100));
    }
  }
};

module.exports = { retry };
