<?php
// PHP under its built-in server: $_GET and $_POST with PHP's own idea of names, $_SERVER with CGI's.
$path = rawurldecode((string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
$readings = [$path, (string) ($_SERVER['PATH_INFO'] ?? ''), (string) ($_SERVER['SCRIPT_NAME'] ?? ''), preg_replace('#/+#', '/', $path)];
$resource = 'other';
foreach ($readings as $reading) {
    $reading = strtolower(rtrim($reading, '/'));
    foreach (['/oauth2/authorize', '/oauth2/token', '/api/v2/users', '/api/status'] as $known) {
        if ($reading === $known) $resource = $known;
    }
    if ($reading === '/account' || str_starts_with($reading, '/account/')) $resource = '/account/';
}
function named($parsed, $json = false) {
    $found = [];
    foreach (['client_id', 'tenantId', 'audience', 'resource', 'scope', 'grant_type'] as $name) {
        if (isset($parsed[$name]) && !($json && is_array($parsed[$name]) && !array_is_list($parsed[$name]))) {
            $values = [];
            $item = [$parsed[$name]];
            array_walk_recursive($item, function ($value) use (&$values) { $values[] = (string) $value; });
            $found[$name] = $values;
        }
    }
    return $found;
}
$kind = strtolower($_SERVER['CONTENT_TYPE'] ?? '');
$json = str_contains($kind, 'json') ? json_decode(file_get_contents('php://input'), true) : null;
$heard = [];
foreach ($_SERVER as $name => $value) {
    if (str_starts_with($name, 'HTTP_')) $heard[strtolower(str_replace('_', '-', substr($name, 5)))] = $value;
}
unset($heard['authorization']);
header('X-Referee: php');
echo json_encode(['referee' => 'php', 'resource' => $resource, 'heard' => $heard, 'places' => [
    'query' => named($_GET), 'form' => named($_POST),
    'json' => named(is_array($json) ? $json : [], true),
    'basic' => ['client_id' => isset($_SERVER['PHP_AUTH_USER']) ? [$_SERVER['PHP_AUTH_USER']] : []],
]], JSON_INVALID_UTF8_SUBSTITUTE);
