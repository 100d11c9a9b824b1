#!/usr/bin/env python3
"""Writes cases.json: small templates with what PyPI jinja2 (3.1.6) makes of them, set up as transformers sets it up for
chat templates. Needs jinja2; run it in this folder.

Each case has a group, its template, the variables it is given (unless these are VARIABLES) and what is rendered, or the
message of what is raised.
"""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import jinja2
import jinja2.ext
import jinja2.sandbox

NOW = datetime.datetime(2026, 7, 26, 12, 5, 9)

VARIABLES = {
    "text": "Hello, World",
    "padded": "  two  words \n",
    "other": "Äpfel, ñandú, 你好 🙂 ﬁn",
    "quotes": "it's \"so\" <b>&amp;</b>\\\n\t\x07",
    "empty": "",
    "one": 1,
    "seven": 7,
    "minus": -7,
    "half": 0.5,
    "big": 1e20,
    "yes": True,
    "no": False,
    "nothing": None,
    "numbers": [3, 1, 2],
    "words": ["pear", "Apple", "fig", "apple"],
    "nested": [[1, 2], [3, [4, 5]]],
    "user": {"name": "Ann", "age": 30, "items": "key", "tags": ["a", "b"], "address": {"city": "Ulm"}},
    "users": [{"name": "Ann", "age": 30, "on": True}, {"name": "bob", "age": 25, "on": False},
              {"name": "Cid", "age": 30}],
    "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"},
                 {"role": "user", "content": "Bye"}],
}

# group: templates, one rendering each.
CASES: dict[str, list[str]] = {
    "literals": [
        "{{ 1 }} {{ 1.5 }} {{ 'a' }} {{ \"b\" }} {{ true }} {{ False }} {{ none }} {{ None }}",
        "{{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1_000 }} {{ 00 }} {{ 1e3 }} {{ 1.5e-7 }} {{ 1_0.2_5 }}",
        r"{{ 'a\n\t\\\'\"\x41\u00e4\101' }}", r"{{ '\q\/' }}", "{{ 'con' 'cat' \"enated\" }}",
        "{{ [] }} {{ [1, 'a', none] }} {{ [1,] }} {{ () }} {{ (1,) }} {{ (1, 2) }} {{ 1, 2 }}",
        "{{ {} }} {{ {'a': 1, 'b': [true, {}]} }} {{ {1: 'x', none: 2} }} {{ {'a': 1,} }}",
        "{{ {'a': 1, 'a': 2} }} {{ {1: 'int', true: 'bool', 1.0: 'float'} }}",
        "{{ 1e16 }} {{ 1e15 }} {{ 123456789.125 }} {{ 0.0001 }} {{ 0.00001 }} {{ 1e22 }} {{ 1e-300 }} {{ 0.1 + 0.2 }}",
        "{{ quotes }}|{{ [quotes] }}", "{{ ['\"', \"'\", '\"' ~ \"'\"] }}", "{{ [other, '\\x00\\u200b\\xa0'] }}",
    ],
    "arithmetic": [
        "{{ 7 + 2 }} {{ 7 - 2 }} {{ 7 * 2 }} {{ 7 / 2 }} {{ 7 // 2 }} {{ 7 % 2 }} {{ 7 ** 2 }}",
        "{{ -7 // 2 }} {{ -7 % 2 }} {{ 7 // -2 }} {{ 7 % -2 }} {{ -7 % -2 }} {{ 6 / 3 }}",
        "{{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ -7.5 % 2 }} {{ 7.5 % -2 }} {{ 2 ** -1 }} {{ 2.5 ** 2 }}",
        "{{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ 1 - 2 - 3 }} {{ 2 * 3 + 4 * 5 }} {{ (2 + 3) * 4 }} {{ 100 // 7 // 2 }}",
        "{{ true + 1 }} {{ -true }} {{ +one }} {{ -half }} {{ 1 + 1.0 }} {{ 3 * 0.1 }}",
        "{{ 'a' + 'b' }} {{ 'ab' * 3 }} {{ 2 * 'x' }} {{ 'a' * -1 }}| {{ [1] + [2] }} {{ [0] * 3 }} {{ (1,) + (2,) }}",
        "{{ 'a' ~ 1 ~ none ~ 1.0 ~ [1] }} {{ 1 ~ 2 }} {{ 1 + (2 ~ 3) | int }} {{ 'x' ~ missing ~ 'y' }}",
        "{{ '%s is %d and %5.2f|%-5s|%05d|%x|%r|%%' % ('a', 7, 3.14159, 'b', 42, 255, 'q') }}",
        "{{ '%s' % 5 }} {{ '%s and %s' % (1, 2) }} {{ '%(a)s' % {'a': 1} }} {{ '%+d % d' % (3, 4) }} {{ '%s' % [1] }}",
        "{{ '%e %g %G' % (12345.678, 0.00001, 1e20) }} {{ '%o %X %#x' % (8, 255, 255) }} {{ '%.3s|%c' % ('abcdef', 'z') }}",
        "{{ 'a' % {} }} {{ 'a' % [1] }} {{ 'a' % missing }} {{ 'a' % () }}",
        "{{ 9223372036854775807 }} {{ -9223372036854775807 - 1 }}",
    ],
    "comparison": [
        "{{ 1 < 2 }} {{ 2 <= 2 }} {{ 1 > 2 }} {{ 2 >= 3 }} {{ 1 == 1.0 }} {{ 1 != true }} {{ 'a' < 'b' }} {{ 'Z' < 'a' }}",
        "{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1 == 1 }} {{ 3 > 2 > 1 != 0 }}",
        "{{ [1, 2] == [1, 2] }} {{ [1, 2] < [1, 3] }} {{ (1, 2) == [1, 2] }} {{ [1] < [1, 0] }}",
        "{{ {'a': 1, 'b': 2} == {'b': 2, 'a': 1} }} {{ none == false }} {{ '' == none }} {{ '1' == 1 }}",
        "{{ 'a' in 'cat' }} {{ 'x' not in 'cat' }} {{ 2 in numbers }} {{ 9 in numbers }} {{ 'name' in user }} {{ '' in '' }}",
        "{{ missing == missing }} {{ missing == none }} {{ missing != 1 }} {{ 1 in missing }} {{ missing in [1] }}",
        "{{ 1 in {1: 2} }} {{ [1] in [[1]] }} {{ 1.0 in [1] }} {{ 3 in range(5) }} {{ 'a' in ['A'] | map('lower') }}",
    ],
    "logic": [
        "{{ 1 and 2 }} {{ 0 and 2 }} {{ 0 or 'x' }} {{ '' or none }} {{ not 1 }} {{ not '' }} {{ not not 1 }}",
        "{{ 1 or missing.x }} {{ 0 and missing.x }} {{ 1 and 2 and 3 }} {{ 0 or '' or 5 }} {{ not 1 == 2 }}",
        "{{ 'a' if true else 'b' }} {{ 'a' if false else 'b' }} {{ 'a' if false }}| {{ 1 if 0 else 2 if 0 else 3 }}",
        "{{ 'y' if numbers else 'n' }}{{ 'y' if {} else 'n' }}{{ 'y' if 0.0 else 'n' }}{{ 'y' if ' ' else 'n' }}",
        "{{ not missing }} {{ missing or 'default' }} {{ [missing] }} {{ missing }}|{{ missing is defined }}",
        "{{ 1 if true else missing.attribute }} {{ (true and false) or (true and 'end') }}",
        "{{ yes and not no }} {{ not yes or not no }} {{ yes == true }} {{ one == yes }}",
    ],
    "access": [
        "{{ user.name }} {{ user['age'] }} {{ user.address.city }} {{ user['address']['city'] }} {{ user.tags[1] }}",
        "{{ numbers[0] }} {{ numbers[-1] }} {{ numbers[9] }}| {{ numbers.0 }} {{ nested[1][1][0] }} {{ nested.1.0 }}",
        "{{ text[0] }} {{ text[-1] }} {{ other[0] }} {{ other[15] }} {{ other[99] }}| {{ (1, 2)[1] }}",
        "{{ user.missing }}|{{ user['missing'] }}|{{ user.missing is defined }} {{ user.get('missing') }}",
        "{{ user['items'] }} {{ user.items() | list }} {{ user.items is callable }}",
        "{{ numbers[1:] }} {{ numbers[:1] }} {{ numbers[:-1] }} {{ numbers[::-1] }} {{ numbers[::2] }} {{ numbers[5:] }}",
        "{{ text[7:] }} {{ text[:5] }} {{ text[-5:] }} {{ text[::-1] }} {{ text[1:8:3] }} {{ text[8:1:-2] }} {{ text[:] }}",
        "{{ other[1:4] }} {{ other[-6:] }} {{ other[::-1] }} {{ other[::5] }} {{ other[-100:2] }} {{ other[3:1] }}|",
        "{{ messages[1:][0].role }} {{ messages[0]['content'][:1] }} {{ (1, 2, 3)[:2] }} {{ range(10)[2:4] | list }}",
        "{{ numbers[10:0:-1] }} {{ numbers[-100:100:100] }} {{ text[100:] }}|{{ text[none:2] }} {{ numbers[true] }}",
        "{{ user[missing] }}| {{ user[[1]] }}| {{ {'a': {'b': 1}}.a.b }} {{ {1: 'x'}[1.0] }} {{ none.x }}| {{ 1 .x }}|",
        "{{ user.address.keys() | list }} {{ user['__class__'] is defined }} {{ text.__class__ is defined }}",
        "{{ user.pop is defined }} {{ numbers.append is defined }} {{ user | attr('name') }}| {{ users | map(attribute='name') | list }}",
    ],
    "text methods": [
        "{{ 'aBc'.upper() }} {{ 'aBc'.lower() }} {{ 'aBc dEF'.capitalize() }} {{ \"it's a dog\".title() }} {{ 'aBc'.swapcase() }}",
        "{{ other.upper() }} {{ other.lower() }} {{ 'straße'.upper() }} {{ 'ÉTÉ ŒUVRE ЖУК'.lower() }} {{ 'жук'.capitalize() }}",
        "[{{ padded.strip() }}] [{{ padded.lstrip() }}] [{{ padded.rstrip() }}] [{{ 'xxaxx'.strip('x') }}] [{{ 'abcba'.lstrip('ab') }}] [{{ 'abc'.rstrip('cb') }}]",
        "{{ 'a b  c'.split() }} {{ 'a,b,,c'.split(',') }} {{ 'a b c'.split(' ', 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ ' a  b '.split(None, 1) }}",
        "{{ 'a,b,c'.rsplit(',', 1) }} {{ ' a  b c '.rsplit(None, 1) }} {{ 'a--b'.split('--')[-1] }} {{ 'abc'.split('abc') }} {{ 'a b'.split(maxsplit=0) }}",
        "{{ 'a\\nb\\r\\nc\\n'.splitlines() }} {{ 'a\\nb'.splitlines(true) }} {{ ''.splitlines() }}",
        "{{ text.startswith('Hello') }} {{ text.endswith('World') }} {{ text.startswith(('x', 'H')) }} {{ text.startswith('World', 7) }} {{ text.endswith('lo', 0, 5) }}",
        "{{ text.replace('l', 'L') }} {{ text.replace('l', 'L', 1) }} {{ 'abc'.replace('', '-') }} {{ 'aaa'.replace('aa', 'b') }}",
        "{{ text.find('o') }} {{ text.rfind('o') }} {{ text.find('z') }} {{ other.find('你') }} {{ text.index('W') }} {{ text.count('o') }} {{ 'aaa'.count('aa') }} {{ 'ab'.count('') }}",
        "{{ ', '.join(['a', 'b']) }} {{ ''.join('abc') }} {{ '-'.join({'x': 1, 'y': 2}) }} {{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'a'.partition('-') }}",
        "{{ '42'.isdigit() }} {{ '4a'.isdigit() }} {{ 'ab'.isalpha() }} {{ 'ab1'.isalnum() }} {{ ' '.isspace() }} {{ ''.isspace() }} {{ 'AB'.isupper() }} {{ 'ab1'.islower() }} {{ '1'.islower() }} {{ other.isascii() }}",
        "[{{ 'a'.center(4) }}] [{{ 'ab'.center(5, '*') }}] [{{ 'a'.ljust(3) }}] [{{ 'a'.rjust(3, '.') }}] {{ '42'.zfill(5) }} {{ '-42'.zfill(5) }}",
        "{{ 'prefix-x'.removeprefix('prefix-') }} {{ 'x.txt'.removesuffix('.txt') }} {{ 'x'.removesuffix('y') }}",
        "{{ '{} {}'.format(1, 'a') }} {{ '{1}{0}'.format('a', 'b') }} {{ '{x}'.format(x=5) }} {{ '{{{}}}'.format(1) }} {{ '{!r}'.format('a') }}",
        "{{ '[{:>5}] [{:<5}] [{:^5}] [{:*^7}]'.format('a', 'b', 'c', 'd') }} {{ '{:05d} {:x} {:,} {:+d} {:b}'.format(42, 255, 1234567, 3, 5) }}",
        "{{ '{:.2f} {:8.3f} {:e} {:g} {:.1%} {:.3}'.format(3.14159, 2.5, 12345.0, 0.5, 0.256, 'abcdef') }} {{ '{:5}|{:<5}|{}'.format(7, 7, 7.0) }}",
        "{{ '你好'.center(6, '好') }} {{ '🙂'.rjust(3) }} {{ other | length }} {{ '\\u2003x\\u3000'.strip() }}| {{ 'ὈΔΥΣ'.lower() }}",
    ],
    "container methods": [
        "{{ user.get('name') }} {{ user.get('x', 'y') }} {{ user.get('x') }} {{ user.address.items() | list }} {{ user.address.values() | list }}",
        "{{ user.address.items() }} {{ user.address.keys() }} {{ user.address.values() }} {{ {}.items() }}",
        "{{ numbers.index(2) }} {{ numbers.count(3) }} {{ (1, 1, 2).count(1) }} {{ numbers.copy() }} {{ user.address.copy() }}",
        "{% for key, value in user.address.items() %}{{ key }}={{ value }};{% endfor %}{{ user.keys() | list | length }}",
    ],
    "filters of text": [
        "{{ 'aBc' | upper }} {{ 'aBc' | lower }} {{ 'aBC dEF' | capitalize }} {{ 'hello wORLD-foo (bar) [baz' | title }} {{ \"it's\" | title }}",
        "[{{ padded | trim }}] [{{ 'xax' | trim('x') }}] [{{ 5 | trim }}] {{ none | upper }} {{ 1.5 | string }} {{ [1] | string | length }}",
        "{{ text | replace('o', '0') }} {{ text | replace('l', 'L', 2) }} {{ 'a1' | replace(1, 2) }} {{ 123 | replace(2, 'x') }}",
        "{{ 'a\\nb\\n\\nc' | indent }}|{{ 'a\\nb' | indent(2, true) }}|{{ 'a\\n\\nb' | indent(1, blank=true) }}|{{ 'a\\nb\\n' | indent('--') }}|{{ '' | indent }}",
        "{{ quotes | e }} {{ '<' | escape }} {{ '<' | e | e }} {{ '<' | safe | e }} {{ '<' | forceescape }} {{ '<b>' | safe }}",
        "{{ ('<b>' | safe) + '<' }} {{ '<' + ('<b>' | safe) }} {{ ['<' | safe] }} {{ '<' | safe ~ '<' }} {{ '<' | e is escaped }}",
        "{{ 'foo bar baz qux' | truncate(9) }}|{{ 'foo bar baz qux' | truncate(9, true) }}|{{ 'foo bar baz qux' | truncate(11) }}|{{ 'foo bar baz qux' | truncate(11, false, '...', 0) }} {{ numbers | truncate(5) }}",
        "[{{ 'a' | center(5) }}] {{ '%s-%s' | format(1, 2) }} {{ '%(a)s' | format(a=1) }} {{ 'a b_c, d' | wordcount }} {{ 'a b/ä?' | urlencode }}",
        "{{ text | first }} {{ text | last }} {{ text | reverse }} {{ text | list | length }} {{ text | length }} {{ text | count }}",
    ],
    "tojson": [
        "{{ user | tojson }}", "{{ quotes | tojson }} {{ other | tojson }} {{ '\\x7f\\x1f\\b\\f\\r' | tojson }}",
        "{{ users | tojson(indent=2) }}", "{{ {'a': [], 'b': {}, 'c': [1, [2]]} | tojson(indent=4) }}",
        "{{ [1, 1.0, 1e20, none, true, false, 'x'] | tojson }} {{ (1, 2) | tojson }} {{ {1: 2, none: 3, true: 4, 1.5: 5} | tojson }}",
        "{{ {'b': 1, 'a': {'d': 2, 'c': 3}} | tojson(sort_keys=true) }} {{ {'b': 1, 'a': 2} | tojson }}",
        "{{ {'a': [1, 2]} | tojson(separators=(',', ':')) }} {{ {'a': 1} | tojson(indent='\\t') }} {{ [1] | tojson(indent=0) }}",
        "{{ [other] | tojson(ensure_ascii=true) }} {{ 'a/b<c>&\\'' | tojson }} {{ {'x': 'y'} | tojson | length }}",
        "{{ {'a': 1, 'b': [1, 2]} | tojson(indent=2, separators=(', ', ' = ')) }}",
    ],
    "filters of numbers": [
        "{{ '42' | int }} {{ 'x' | int }} {{ 'x' | int(7) }} {{ 3.9 | int }} {{ '3.9' | int }} {{ '0x1f' | int(0, 16) }} {{ ' -5 ' | int }} {{ true | int }} {{ none | int }} {{ '1_000' | int }} {{ [] | int(default=3) }}",
        "{{ '1.5' | float }} {{ 'x' | float }} {{ 'x' | float(2.5) }} {{ 3 | float }} {{ '1e3' | float }} {{ 'inf' | float }} {{ 'nan' | float }} {{ 'inf' | int }} {{ '-Infinity' | float }}",
        "{{ 42.55 | round }} {{ 42.55 | round(1) }} {{ 2.5 | round }} {{ 3.5 | round }} {{ 2.675 | round(2) }} {{ 42 | round }} {{ 42.1 | round(0, 'ceil') }} {{ 42.59 | round(1, 'floor') }} {{ -0.04 | round(1, 'ceil') }} {{ 1250 | round(-2) }} {{ 1234.5 | round(-2) }} {{ -2.5 | round }}",
        "{{ -5 | abs }} {{ -5.5 | abs }} {{ minus | abs }} {{ 42.9 | round | int }} {{ true | abs }}",
    ],
    "filters of items": [
        "{{ numbers | length }} {{ user | length }} {{ missing | length }} {{ range(4) | length }} {{ '' | length }}",
        "{{ missing | default('d') }} {{ missing | d }}| {{ '' | default('d') }}| {{ '' | default('d', true) }} {{ none | default('d') }} {{ none | d('e', boolean=true) }} {{ user.x | default(user.name) }}",
        "{{ numbers | first }} {{ numbers | last }} {{ [] | first }}| {{ [] | last }}| {{ user | first }} {{ range(3) | last }}",
        "{{ numbers | join }} {{ numbers | join(', ') }} {{ users | join('-', attribute='name') }} {{ user.tags | join('/') }} {{ 'abc' | join('.') }} {{ [1, none, 'x'] | join(' ') }}",
        "{{ numbers | sort }} {{ words | sort }} {{ words | sort(case_sensitive=true) }} {{ numbers | sort(reverse=true) }} {{ users | sort(attribute='age') | map(attribute='name') | join(',') }}",
        "{{ users | sort(attribute='age,name', reverse=true) | map(attribute='name') | list }} {{ [[2, 1], [1, 5]] | sort }} {{ [0.5, 1, true] | sort }}",
        "{{ words | unique | list }} {{ words | unique(true) | list }} {{ users | unique(attribute='age') | map(attribute='name') | list }} {{ [1, 1.0, true, '1'] | unique | list }}",
        "{{ numbers | reverse | list }} {{ numbers | list }} {{ user | list }} {{ 'abc' | list }} {{ (1, 2) | list }} {{ user.address | items | list }} {{ missing | items | list }}",
        "{{ numbers | sum }} {{ users | sum(attribute='age') }} {{ [0.5, 1] | sum }} {{ numbers | sum(start=10) }} {{ [] | sum }} {{ [[1], [2]] | sum(start=[]) }}",
        "{{ numbers | min }} {{ numbers | max }} {{ words | min }} {{ words | max }} {{ words | min(true) }} {{ [] | max }}| {{ users | max(attribute='age') }} {{ [1, true] | max }}",
        "{{ {'b': 1, 'A': 2, 'a': 3} | dictsort }} {{ {'b': 1, 'A': 2} | dictsort(true) }} {{ {'b': 1, 'a': 2} | dictsort(by='value') }} {{ {'a': 1, 'b': 2} | dictsort(reverse=true) }}",
        "{{ [1, 2, 3, 4, 5] | batch(2) | list }} {{ [1, 2, 3] | batch(2, 'x') | list }} {{ [1, 2, 3, 4, 5] | slice(3) | list }} {{ [1, 2, 3, 4] | slice(3, 'x') | list }}",
        "{{ users | groupby('age') | list }}", "{% for age, group in users | groupby('age') %}{{ age }}: {{ group | map(attribute='name') | join('+') }}; {% endfor %}",
        "{{ words | map('upper') | list }} {{ users | map(attribute='on', default='?') | list }} {{ words | map('replace', 'p', 'P') | join }} {{ nested | map('first') | list }} {{ [1.5, '2'] | map('int') | sum }}",
        "{{ numbers | select('odd') | list }} {{ numbers | reject('odd') | list }} {{ [0, 1, '', 'a', none] | select | list }} {{ [0, 1, ''] | reject | list }} {{ numbers | select('>', 1) | list }} {{ words | select('in', ['fig']) | list }}",
        "{{ users | selectattr('on') | map(attribute='name') | list }} {{ users | rejectattr('on') | map(attribute='name') | list }} {{ users | selectattr('age', 'equalto', 30) | map(attribute='name') | list }} {{ users | selectattr('on', 'defined') | list | length }}",
        "{{ messages | selectattr('role', 'eq', 'user') | map(attribute='content') | list }} {{ messages | rejectattr('role', '==', 'user') | list | length }} {{ [user] | map(attribute='address.city') | list }}",
        "{{ numbers | map('string') | join(',') }} {{ [[3, 4]] | map(attribute=0) | list }} {{ [{'a': [5]}] | map(attribute='a.0') | first }} {{ missing | map('upper') | list }} {{ missing | select | list }}",
        "{% set g = numbers | map('string') %}{{ g | list }} {{ g | list }} {{ 'y' if [] | map('x') else 'n' }}",
    ],
    "tests": [
        "{{ one is defined }} {{ missing is undefined }} {{ missing is not defined }} {{ user.name is defined }} {{ none is defined }} {{ nothing is none }} {{ missing is none }}",
        "{{ 1 is number }} {{ 1.5 is number }} {{ true is number }} {{ '1' is number }} {{ 1 is integer }} {{ true is integer }} {{ 1.0 is integer }} {{ 1.0 is float }} {{ 1 is float }}",
        "{{ 'a' is string }} {{ 1 is string }} {{ ('a' | safe) is string }} {{ user is mapping }} {{ [] is mapping }} {{ [] is iterable }} {{ 'a' is iterable }} {{ 1 is iterable }} {{ none is iterable }} {{ missing is iterable }}",
        "{{ [] is sequence }} {{ 'a' is sequence }} {{ user is sequence }} {{ 1 is sequence }} {{ (1,) is sequence }} {{ range(2) is sequence }} {{ numbers | map('string') is sequence }} {{ missing is sequence }}",
        "{{ true is boolean }} {{ 1 is boolean }} {{ true is true }} {{ 1 is true }} {{ false is false }} {{ 0 is false }} {{ no is false }}",
        "{{ 3 is odd }} {{ 4 is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(2) }} {{ -3 is odd }}",
        "{{ 1 is eq 1 }} {{ 1 is equalto(1) }} {{ 1 is ne 2 }} {{ 1 is lt 2 }} {{ 2 is gt(1) }} {{ 1 is le 1 }} {{ 1 is ge 2 }} {{ 1 is lessthan 2 }} {{ 1 is greaterthan 2 }}",
        "{{ 'a' is in 'abc' }} {{ 1 is in [1] }} {{ 1 is not in [2] }} {{ none is sameas none }} {{ 1 is sameas true }} {{ true is sameas true }}",
        "{{ 'AB' is upper }} {{ 'ab' is lower }} {{ 'Ab' is lower }} {{ 'upper' is filter }} {{ 'nope' is filter }} {{ 'odd' is test }} {{ 'x' is escaped }} {{ range is callable }} {{ 1 is callable }}",
        "{{ 1 is defined and 2 is defined }} {{ not 1 is odd }} {{ 1 is odd == true }} {{ (1 is odd) ~ 'x' }} {{ 'x' if missing is defined else 'y' }} {{ [] is defined or no }}",
    ],
    "for": [
        "{% for x in numbers %}{{ x }},{% endfor %}", "{% for x in [] %}a{% else %}none{% endfor %}",
        "{% for x in numbers %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }} {% endfor %}",
        "{% for x in numbers %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}",
        "{% for x in numbers %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }} {% endfor %}{{ loop is defined }}",
        "{% for x in numbers if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }}{{ loop.last }} {% else %}no{% endfor %}",
        "{% for key in user.address %}{{ key }}{% endfor %}{% for c in 'añ🙂' %}[{{ c }}]{% endfor %}{% for x in missing %}x{% else %}empty{% endfor %}",
        "{% for a, b in [[1, 2], (3, 4)] %}{{ a }}-{{ b }} {% endfor %}{% for (a, (b, c)) in [[1, [2, 3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
        "{% for x in [1, 2] %}{% for y in [3, 4] %}{{ loop.index }}{{ x }}{{ y }} {% endfor %}{{ loop.index }};{% endfor %}",
        "{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}",
        "{% for x in [1] %}{% continue %}{% else %}else{% endfor %} {% for x in [1] %}{% break %}{% else %}else{% endfor %} {% for x in [1, 2] %}{% if loop.last %}{% break %}{% endif %}{% else %}else{% endfor %}",
        "{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}",
        "{% set ns = namespace(total=0) %}{% for i in numbers %}{% set ns.total = ns.total + i %}{% endfor %}{{ ns.total }}",
        "{% set ns = namespace(found=false) %}{% for i in numbers if not ns.found %}{{ i }}{% set ns.found = true %}{% endfor %}",
        "{% for item in [1, [2, [3]]] recursive %}{% if item is iterable %}({{ loop(item) }}){% else %}{{ item }}{{ loop.depth }}{{ loop.depth0 }} {% endif %}{% endfor %}",
        "{% for x in range(3) %}{{ x }}{% endfor %} {% for x in range(2, 5) %}{{ x }}{% endfor %} {% for x in range(5, 0, -2) %}{{ x }}{% endfor %} {{ range(3) }} {{ range(1, 7, 2) }}",
        "{% for x in numbers %}{% set y = x %}{% endfor %}{{ y is defined }} {{ x is defined }}",
        "{% for m in messages %}{% if loop.first %}<{% endif %}{{ m.role }}{% if not loop.last %}, {% else %}>{% endif %}{% endfor %}",
        "{% for x in numbers | sort %}{{ x }}{% endfor %}{% for x in numbers[::-1] %}{{ x }}{% endfor %}{% for k, v in user.address | dictsort %}{{ k }}{{ v }}{% endfor %}",
        "{% for x in 1, 2 %}{{ x }}{% endfor %}{% for x in (1, 2) if x != 1 %}{{ x }}{% endfor %}{% for x in {'a': 1}.values() %}{{ x }}{% endfor %}",
        "{% for x in [1, 2, 3] %}{% if x is even %}{% continue %}{% endif %}{{ loop.index }}{{ loop.nextitem }} {% endfor %}",
    ],
    "set and scopes": [
        "{% set x = 5 %}{{ x }} {% set a, b = 1, 2 %}{{ a }}{{ b }} {% set t = 1, 2 %}{{ t }} {% set (c, d) = [3, 4] %}{{ c }}{{ d }}",
        "{% set x %}text {{ one }}{% endset %}[{{ x }}] {% set y | upper %}abc{% endset %}{{ y }} {% set z | trim | length %}  ab {% endset %}{{ z }}",
        "{% if yes %}{% set x = 1 %}{% endif %}{{ x }}{% if no %}{% set z = 1 %}{% endif %}{{ z is defined }}",
        "{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }} {{ ns.b is defined }} {{ ns }} {% set ns.a, ns.b = 3, 4 %}{{ ns.a + ns.b }} {{ ns['a'] }}",
        "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }} {% set ns.a %}block{% endset %}{{ ns.a }} {% set n = dict(a=1, b='x') %}{{ n }} {{ dict([['k', 'v']]) }} {{ dict({'a': 1}, b=2) }}",
        "{% with a = 1, b = one + 1 %}{{ a }}{{ b }}{% set a = 9 %}{{ a }}{% endwith %}{{ a is defined }} {% with %}{% set q = 1 %}{% endwith %}{{ q is defined }}",
        "{% set one = 5 %}{{ one }} {% set messages = messages[1:] %}{{ messages | length }} {% set text = text | upper %}{{ text }}",
        "{% filter upper %}abc {{ text }}{% endfilter %} {% filter replace('a', 'b') | trim %} aa {% endfilter %}|{% set a = 1 %}{% filter trim %}{% set a = 2 %}{{ a }}{% endfilter %}{{ a }}",
        "{% set x = 1 %}{% set y %}{% set x = 2 %}{{ x }}{% endset %}{{ x }}{{ y }} {% generation %}gen{% endgeneration %}",
        "{% if no %}a{% elif one == 2 %}b{% elif yes %}c{% else %}d{% endif %}{% if no %}{% else %}e{% endif %}{% if 1, %}t{% endif %}",
    ],
    "macros": [
        "{% macro f(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }} {{ f(1, 3) }} {{ f(b=5, a=4) }} {{ f() }}| {{ f(1, b=f(8)) }}",
        "{% macro f(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }} {{ f(a=2) }} {% macro g(x=[]) %}{{ x }}{{ x is defined }}{% endmacro %}{{ g() }}",
        "{% macro f() %}{{ varargs }} {{ kwargs }}{% endmacro %}{{ f(1, 2, x=3) }} {% macro g(a) %}{{ a }}{{ varargs | length }}{% endmacro %}{{ g(1, 2, 3) }}",
        "{% macro wrap(tag) %}<{{ tag }}>{{ caller() }}</{{ tag }}>{% endmacro %}{% call wrap('b') %}text {{ one }}{% endcall %}",
        "{% macro each(items) %}{% for i in items %}{{ caller(i, loop.index) }}{% endfor %}{% endmacro %}{% call(x, n) each(numbers) %}{{ n }}={{ x }};{% endcall %}",
        "{% macro f(n) %}{{ n }}{% if n > 0 %},{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(4) }}",
        "{% set x = 1 %}{% macro f() %}{{ x }}{{ y }}{% set x = 5 %}{{ x }}{% endmacro %}{% set y = 7 %}{{ f() }}{{ x }}{% for x in [9] %}{{ f() }}{% endfor %}",
        "{% macro f(text) %}{{ text | upper }}{% endmacro %}{{ f('a') ~ f('b') }} {{ [f('c')] }} {{ f('d') | lower }} {% set r = f('e') %}{{ r }}{{ f(text=text) }}",
        "{% macro f(a) %}{{ a is defined }}{% endmacro %}{{ f() }}{{ f(none) }} {{ f(*[1]) }} {{ f(**{'a': 2}) }} {{ range(*[1, 3]) | list }}",
        "{%- macro outer() %}{% macro inner() %}in{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }} {{ inner is defined }}",
        "{% macro f() %}[{{ caller is defined }}]{% endmacro %}{{ f() }}{% call f() %}{% endcall %} {% macro h(caller=none) %}{{ caller is none }}{% endmacro %}{{ h() }}",
    ],
    "white space": [
        "a\n{% if yes %}\nb\n{% endif %}\nc\n", "a\n  {% if yes %}\n  b\n  {% endif %}\nc\n\n", "  {{ one }}\n  {{ one }}\n",
        "a  {%- if yes -%}  b  {%- endif -%}  c", "a \n {{- one -}} \n b", "a \n {{+ one }} \n b", "  {%+ if yes %}x{% endif %}", "{% if yes +%}\nx{% endif %}",
        "a\n  {# comment #}\nb {#- x -#} c {# y #}\n\nd", "{# a\nb #}\n{{ one }}", "a {# {{ x }} {% y %} #} b",
        "{% raw %}{{ x }} {% if %}{# c #}{% endraw %} x", "a\n  {% raw %}\n  {{ y }}\n  {% endraw %}\nb", "a {%- raw -%} b {%- endraw -%} c",
        "\n\n{% set x = 1 %}\n\n{{ x }}\n\n", "a\r\nb\rc\n{% if yes %}\r\nd{% endif %}\r\n", "x{% if yes %}   \ny{% endif %}", "\t {% if yes %}\n\t{{ one }}\n\t {% endif %}\n.",
        "{{ 'a' }}\n{%- for x in [1, 2] %}\n  {{- x }}\n{%- endfor %}\nend", "{%- for x in [1, 2] -%}\n  {{ x }},\n{%- endfor -%}", "text\n\n   \n  {%- if yes %} x{% endif %}",
        "{{ one }}{# c #}{{ one }}\n{# d #}\n{{ one }}", "{{-1}} {{ -1 }} {{- '' -}} {{ {'a': {'b': 1}} }} {{ {'a': 1}['a'] }}", "{{'{{'}} {{\"}}\"}} {{ '{%' }} {% if '%}' %}y{% endif %}",
        "a{% if yes %}\n\nb\n\n{% endif %}\n\nc", "é  {%- if yes %} 你{% endif %}\u00a0{{- one }}", "{%if yes%}{%set x=1%}{{x}}{%endif%}", "{ {% raw %}{{% endraw %} } { % #} %} }}",
        "{%   if   yes   %}x{%   endif   %}{{   one   }}", "{{ one\n+\none }}{% if\nyes %}\nz{% endif %}", "{% for x in [1] %}\n{{ x }}\n{% endfor %}\n{% for x in [1] -%}\n y {% endfor %}",
    ],
    "time": ["{{ strftime_now('%Y-%m-%d %H:%M:%S %j %B %b %A %a %d %p %%') }} {{ strftime_now('%-d') }} {{ strftime_now('plain') }}"],
    "a chat": [
        "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] | trim }}{{ eos_token }}\n{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}",
        "{%- if messages[0]['role'] == 'system' %}{%- set system = messages[0]['content'] %}{%- else %}{%- set system = 'You help.' %}{%- endif %}{{- '<<SYS>>' + system + '<</SYS>>' }}{%- for message in messages %}{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{- raise_exception('roles must alternate') }}{%- endif %}{{- '[' ~ message.role[0] ~ '] ' ~ message.content }}{%- endfor %}",
    ],
    "raised": [
        "{{ raise_exception('Only user and assistant roles') }}", "{% if yes %}\n\n{{ raise_exception('it is ' ~ one) }}{% endif %}", "{{ missing.x }}", "{{ missing['x'] }}", "{{ user.x.y }}", "{{ missing() }}",
        "{{ user.x() }}", "{{ missing + 1 }}", "{{ 1 + missing }}", "{{ 'a' + missing }}", "{{ missing < 1 }}", "{{ -missing }}", "{{ missing | int }}", "{{ none.x.y }}", "{{ numbers[9].x }}", "{{ numbers.x.y }}",
        "{{ 'a' + 1 }}", "{{ 1 + 'a' }}", "{{ [1] + 'a' }}", "{{ none + 1 }}", "{{ 'a' - 'b' }}", "{{ 'a' * 'b' }}", "{{ [] / 2 }}", "{{ -'a' }}", "{{ 1 < 'a' }}", "{{ none > 1 }}", "{{ [1] < ['a'] }}", "{{ {} < {} }}",
        "{{ 1 / 0 }}", "{{ 1 // 0 }}", "{{ 1.0 / 0 }}", "{{ 1 in 5 }}", "{{ 1 in 'a' }}", "{{ none in 'a' }}", "{{ 1 + 2 ~ 3 }}", "{{ users | map(attribute='address.city') | list }}", "{% for x in 5 %}{% endfor %}", "{% for x in none %}{% endfor %}", "{% for a, b in [[1]] %}{% endfor %}", "{% for a, b in [[1, 2, 3]] %}{% endfor %}",
        "{% for a, b in [5] %}{% endfor %}", "{% set a.b = 1 %}", "{% set user.name = 1 %}", "{{ user.pop('name') }}", "{{ numbers.append(1) }}", "{{ user.update({}) }}", "{{ ''.__class__.__mro__ }}", "{{ user.__init__() }}", "{{ numbers.sort() }}",
        "{{ 5() }}", "{{ 'a'() }}", "{{ text.nope() }}", "{{ numbers | map('string') | length }}", "{{ numbers | map('string') | tojson }}", "{{ missing | tojson }}", "{{ range(3) | tojson }}", "{{ 5 | length }}", "{{ 5 | truncate(4) }}", "{{ 5 | list }}", "{{ 5 | join }}", "{{ numbers | map('nope') | list }}",
        "{{ numbers | select('nope') | list }}", "{{ numbers | map | list }}", "{{ {[1]: 2} }}", "{{ [] in {} }}", "{{ numbers['a':] }}", "{{ numbers[::0] }}", "{{ ''.join([1]) }}", "{{ 'a'.split('') }}", "{{ 'a'.index('b') }}", "{{ '%d' % 'a' }}", "{{ '%s %s' % 1 }}", "{{ '%s' % (1, 2) }}", "{{ range(1000000) }}",
        "{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}", "{% macro f(a) %}{% endmacro %}{{ f(b=1) }}", "{% macro f(a) %}{{ a.x }}{% endmacro %}{{ f() }}", "{% for x in [1] %}{{ loop(x) }}{% endfor %}", "{{ {'a': 1} | items | map('nope') | list }}", "{{ users | sort(attribute='on') }}", "{{ [1, 'a'] | sort }}",
        "{{ 'a' if false else missing.x }}", "{{ ('a' if false).x }}", "{{ [] | first | upper ~ ([] | first).x }}", "{{ 'x' | round }}", "{{ 1.5 | round(1, 'up') }}", "{{ 'a' | abs }}", "{{ loop.index }}", "{{ {} | dictsort(by='x') }}", "{% if yes %}{{ one | nope }}{% endif %}", "{% if yes %}{{ one is nope }}{% endif %}", "{{ 'a'.center(5, 'xx') }}",
    ],
    "not a template": [
        "{{ one", "{% if yes %}", "{% if %}x{% endif %}", "{{ }}", "{% endif %}", "{% nope %}", "{% for x in %}{% endfor %}", "{% for in y %}{% endfor %}", "{% for x numbers %}{% endfor %}", "{{ 1 + }}", "{{ (1 }}", "{{ [1, 2 }}", "{{ {1: 2 }}", "{{ 1) }}", "{{ (1] }}",
        "{{ a b }}", "{{ 'a }}", "{{ a | }}", "{{ a | 5 }}", "{{ a is }}", "{{ a. }}", "{{ a.5.'x' }}", "{{ | a }}", "{{ a ! b }}", "{{ a ? b }}", "{{ a @ b }}", "{% set x %}", "{% set 5 = 1 %}", "{% set x = %}", "{% set true = 1 %}", "{% macro f(1) %}{% endmacro %}", "{% macro f(a=1, b) %}{% endmacro %}", "{% macro %}{% endmacro %}",
        "{% if yes %}{% endfor %}", "{% for x in numbers %}{% endif %}", "{% if yes %}{% for x in numbers %}{% endif %}{% endfor %}", "{# open", "{% raw %} open", "{{ one | nope }}", "{{ one is nope }}", "{% for x in numbers %}{% if yes %}{{ x | nope }}{% endif %}{{ x | nada }}{% endfor %}", "{% break %}", "{% for x in numbers %}{% macro f() %}{% continue %}{% endmacro %}{% endfor %}",
        "{{ f(a=1, 2) }}", "{{ f(**a, *b) }}", "{% call one %}{% endcall %}", "{{ a is b is c }}", "{% else %}", "{% if yes %}{% else %}{% else %}{% endif %}", "{% 5 %}", "{{ 'a' 'b }}", "line one\nline two {{ oops\nline {{ three", "{% if a %}\n\n{% elif %}\n{% endif %}", "{% do x %}", "{{ not }}", "{{ a not b }}", "{{ 1 if }}", "{% for loop in [1] %}{% endfor %}", r"{{ '\x4' }}",
    ],
}


def environment() -> jinja2.sandbox.ImmutableSandboxedEnvironment:
    class Generation(jinja2.ext.Extension):
        tags = {"generation"}

        def parse(self, parser):
            line = next(parser.stream).lineno
            body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
            return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

        def _body(self, caller):
            return caller()

    def raise_exception(message):
        raise jinja2.TemplateError(message)

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    result = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                                          extensions=[jinja2.ext.loopcontrols, Generation])
    result.filters["tojson"] = tojson
    result.globals["raise_exception"] = raise_exception
    result.globals["strftime_now"] = NOW.strftime
    return result


def case(group: str, template: str) -> dict:
    row = {"group": group, "template": template}
    try:
        given = VARIABLES | {"bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True}
        row["expected"] = re.sub(r"<generator object \w+ at 0x[0-9a-f]+>", "<generator object>",
                                 environment().from_string(template).render(**given))
    except jinja2.TemplateSyntaxError as error:
        row |= {"line": error.lineno, "raises": error.message}
    except Exception as error:  # whatever Python raises is what a template may raise
        row["raises"] = str(error)
    return row


def main() -> None:
    cases = [case(group, template) for group, templates in CASES.items() for template in templates]
    head = {"jinja2": jinja2.__version__, "now": NOW.strftime("%Y-%m-%d %H:%M:%S"), "variables": VARIABLES}
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in cases)
    text = json.dumps(head, ensure_ascii=False)[:-1] + ', "cases": [\n' + rows + "\n]}\n"
    Path("cases.json").write_text(text)
    print(f"{len(cases)} cases, {sum('raises' in row for row in cases)} of them errors")


if __name__ == "__main__":
    main()
