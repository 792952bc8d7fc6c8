"""Fixes in Chinese: what the rules and the decoder say in English about a field, said again for callers who read Chinese."""

import re

_EXACT: dict[str, str] = {
    "11 digits beginning with 13 to 19": "应为 13 至 19 开头的 11 位数字",
    "a carriage return or NUL within a line": "行内含有回车符或 NUL 字符",
    "a code stands there once for a carrier": "同一供应商的同一返回码只能出现一次",
    "a mainland mobile number, or + and the country code": "应为大陆手机号码，或以 + 和国家码开头",
    "a phone number": "应为电话号码",
    "a range that ends after it begins": "结束时间须晚于开始时间",
    "a test key makes test keys; give false": "测试密钥只能创建测试密钥，请传 false",
    "a test key may not revoke live keys": "测试密钥不能吊销正式密钥",
    "a time zone such as Asia/Shanghai": "应为时区名称，例如 Asia/Shanghai",
    "another time than from; the whole day is 00:00 to 24:00": "to 不能与 from 相同；全天应写作 00:00 至 24:00",
    "a time from now on": "应为将来的时间",
    "at most 10,000 recipients inline; upload more to /v1/batches/{id}/recipients": (
        "内联收件人最多 10,000 个，更多请上传到 /v1/batches/{id}/recipients"
    ),
    "at most 366 days ahead": "最多提前 366 天",
    "begin with https:// (or http://)": "应以 https://（或 http://）开头",
    "check the digits after the country code": "请检查国家码之后的号码",
    "Expected `datetime` with a timezone component": "时间必须带时区偏移，例如 +08:00",
    "give one price for an operator, country and lane": "同一运营商、国家与类别只能有一个价格",
    "give it once": "只能出现一次",
    "give one of events, delivery, or a range": "events、delivery 与时间范围只能选其一",
    "Invalid RFC3339 encoded datetime": "不是合法的 RFC 3339 时间",
    "leave it out to say nothing": "不需要时请省略该参数",
    "leave out the NUL character": "请去掉 NUL 字符",
    "leave user and password out; calls are signed": "请去掉用户名和密码，调用已带签名",
    "name a host": "缺少主机名",
    "name a signature once": "同一签名只能出现一次",
    "name a connector once in a pool": "同一通道在通道池中只能出现一次",
    "nested too deeply": "嵌套过深",
    "networks such as 203.0.113.0/24": "应为网段，例如 203.0.113.0/24",
    "next_cursor of an earlier page": "应为上一页返回的 next_cursor",
    "no spaces, backslashes or characters outside ASCII; percent-encode them": "不能含空格、反斜杠或非 ASCII 字符，请使用百分号编码",
    "not UTF-8": "不是 UTF-8 编码",
    "the connection was lost before the body's end": "请求正文未传完连接即中断",
    "source addresses such as 10690001, or 1069* for all that begin so": "应为接入号，例如 10690001；或以 * 结尾表示前缀，例如 1069*",
    "test numbers need a test key": "测试号码需使用测试密钥",
    "operators are those of the mainland: give CN, or none": "运营商仅指大陆运营商：country 应为 CN 或省略",
    "operators are those of the mainland: add CN, or leave countries out": (
        "operators 仅指大陆运营商：请在 countries 中加入 CN，或省略 countries"
    ),
    "quote a field as a whole, double the quotes within it, and end it on its line": "字段须整体加引号，其中的引号写两次，并在同一行结束",
    "the body ended early": "请求体不完整",
    "the first line names each column once, one of them `to`": "首行须为列名，每列一次，且包含 to",
    "the id of a connector; see GET /v1/connectors": "应为通道 id，见 GET /v1/connectors",
    "there is no such setting in this protocol": "该协议没有此项设置",
    "the id of a workspace; see GET /v1/workspaces": "应为工作区 id，见 GET /v1/workspaces",
    "this parameter joins long texts; set long_text instead": "该参数用于拼接长短信，请改用 long_text",
    "this setting is required": "缺少此项必填设置",
    "use +8610000000001 to +8610000000020 with a test key": "测试密钥请使用 +8610000000001 至 +8610000000020",
    "use a host that is reachable from the public internet": "主机必须可从公网访问",
    "use a mobile number": "请使用手机号码",
    "use port 443, 80, or one from 1024 on that is not a database's": "端口应为 443、80，或 1024 以上且不是数据库的端口",
    "write the result as a decimal number": "返回码应写成十进制数字",
    "use printable ASCII characters only": "只能使用可见的 ASCII 字符",
    "SGIP passwords have 1 to 16 ASCII characters and no blanks at the ends": "SGIP 密码为 1 至 16 个 ASCII 字符，首尾不含空格",
    "write 0: without a listen_port the gateway reports over our own connection, which must stay": (
        "请填 0：未设置 listen_port 时网关经我方连接上报，该连接须保持"
    ),
    "write the status as a decimal number": "状态码应写成十进制数字",
    "write a complete URL": "应为完整的 URL",
    "write a host name": "应为主机名",
    "write a place as ${name}: letters, digits and _, at most 40": "变量应写作 ${name}：字母、数字和下划线，最多 40 个字符",
    "write an address of this machine, or 0.0.0.0 for all of them": "请填写本机地址，或用 0.0.0.0 表示全部地址",
    "write an address or a network, such as 192.0.2.0/24": "请填写地址或网段，例如 192.0.2.0/24",
    "write at least 1, or 0 for a connection that stays": "请填写不小于 1 的值，或填 0 保持连接",
    "write at least one visible character": "至少写一个可见字符",
    "write the area code of your node number, 3 or 4 digits, or the node number itself in node": (
        "请填写节点编号中的区号（3 或 4 位数字），或在 node 中直接填写节点编号"
    ),
    "write the result as a decimal number, at most 255": "返回码应写成十进制数字，最大 255",
    "write digits only": "只能填写数字",
    "write the file in UTF-8, its first line names the columns": "文件须为 UTF-8 编码，首行须为列名",
    "write the value as pairs of hex digits": "值应为成对的十六进制数字",
    "a code is either accepted or has a result, not both": "返回码要么表示已接收，要么对应一种结果，不能两者兼有",
    "a secret in a URL ends in logs; put it into a header or the body": "URL 中的密钥会进入日志，请放到请求头或正文中",
    "name at least one code that means accepted": "至少写出一个表示已接收的返回码",
    "name at least one place": "至少写出一个位置",
    "give at least one template of the carrier": "请至少填写一个在供应商处报备的模板",
    "give every place a name of its own": "每个变量须有不同的名称",
    "give rows or segments, not both": "rows 与 segments 只能填一个",
    "this provider takes texts, not templates": "该供应商直接接收文本，不需要模板",
    "write a text": "应为文本",
    "write something between two places": "两个变量之间须有文字",
    "this provider cannot do without it": "该供应商必须提供此项",
    "this recipe needs to know the header or service here": "该签名方式需要在此写明请求头或服务名",
    "this recipe signs a form": "该签名方式只能签署表单",
    "write a place as ${name}, closed": "变量应写作 ${name}，并以 } 结束",
    "write iso, unix, or a pattern such as %Y-%m-%d %H:%M:%S": "应为 iso、unix，或形如 %Y-%m-%d %H:%M:%S 的格式",
    'a form has one level; write {"$json": …} for JSON in a field': '表单只有一层，字段中的 JSON 请写作 {"$json": …}',
}

_KINDS = {
    "str": "文本",
    "int": "整数",
    "float": "数字",
    "bool": "布尔值",
    "object": "对象",
    "array": "数组",
    "null": "null",
    "datetime": "时间",
}
_BOUNDS = {"<=": "不大于", ">=": "不小于", "<": "小于", ">": "大于"}

# The decoder's sentences and ours with a value in them; `{0}`, `{1}` are the groups.
_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"a port is a number up to (\d+)", "端口应为不大于 {0} 的数字"),
    (r"Expected `(\w+)`, got `(\w+)`(?: - at `key`.*)?", "应为{0}，而不是{1}"),
    (r"Expected `([^`]+)`, got `(\w+)`", "应为 {0}，而不是{1}"),
    (r"Expected `(?:str|array|object)` of length (<=|>=) (\d+)", "长度应{0} {1}"),
    (r"Expected `(?:int|float)` (<=|>=|<|>) (-?[\d.]+)", "应{0} {1}"),
    (r"Expected `str` matching regex (.+)", "应匹配 {0}"),
    (r"Invalid enum value (.+)", "不支持的取值 {0}"),
    (r"JSON is malformed: (.+)", "格式错误（{0}）"),
    (r"Input data was truncated", "内容不完整"),
    (r"Integer value out of range", "整数超出范围"),
    (r"Number out of range", "数字超出范围"),
    (r"at most (\d+) levels", "最多 {0} 层"),
    (r"at most (\d+) places", "最多 {0} 个变量"),
    (r"(\w+) is a setting of every connector", "{0} 是所有通道共有的设置项"),
    (r"one of ([\w:, .*]+), or write a definition of your own", "可选值：{0}，或自行编写 definition"),
    (r"the secret has 1 to (\d+) printable ASCII characters", "密钥为 1 至 {0} 个可打印的 ASCII 字符"),
    (r"at most (\d+) characters", "最多 {0} 个字符"),
    (r"write at most (\d+) octets", "最多 {0} 个字节"),
    (r"(\d+) to (\d+) ASCII characters", "{0} 至 {1} 个 ASCII 字符"),
    (r"(\d+) to (\d+) characters", "{0} 至 {1} 个字符"),
    (r"at most (\d+) segments; shorten it", "最多 {0} 条，请缩短"),
    (r"a line has at most ([\d,]+) bytes", "每行最多 {0} 字节"),
    (r"a body has at most ([\d,]+) bytes; upload larger ones to (\S+)", "请求体最多 {0} 字节，更大的请上传到 {1}"),
    (r"(\d+) fields, the heading has (\d+)", "有 {0} 个字段，而表头有 {1} 个"),
    (r"one of ([\w:, .*]+), or the id of a connector", "可选值：{0}，或通道 id"),
    (r"one of ([\w:, .*]+)", "可选值：{0}"),
    (r"([A-Z, ]+) are never read otherwise", "{0} 的含义不可更改"),
    (r"(\S+) is no event type; see (\S+)", "{0} 不是事件类型，见 {1}"),
    (r"the key (.+) stands twice in one object", "同一对象中键 {0} 出现两次"),
    (r"SMPP passwords have at most (\d+) ASCII characters", "SMPP 密码最多 {0} 个 ASCII 字符"),
    (r"write at most (\d+) octets", "最多 {0} 字节"),
    (r"the shared secret has 1 to (\d+) ASCII characters", "共享密钥为 1 至 {0} 个 ASCII 字符"),
    (r"write the key in hex, 0x0 to (0x[0-9a-f]+)", "键应为十六进制，0x0 至 {0}"),
    (r"; did you mean (\S+)\?", "；是否指 {0}？"),
    (r"; it is not in this version", "；当前版本尚不支持"),
)
_COMPILED = tuple((re.compile(pattern, re.DOTALL), said) for pattern, said in _PATTERNS)


def in_chinese(fix: str) -> str:
    """Return a fix in Chinese; a sentence nobody has translated stays as it is, which is better than nothing."""
    known = _EXACT.get(fix)
    if known is not None:
        return known
    for pattern, said in _COMPILED:
        if match := pattern.fullmatch(fix):
            return said.format(*(_word(group) for group in match.groups()))
    return fix


def _word(group: str | None) -> str:
    """Translate a type's name or a comparison; anything else is a value."""
    text = group or ""
    return _KINDS.get(text) or _BOUNDS.get(text) or text
