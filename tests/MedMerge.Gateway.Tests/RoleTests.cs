using System.Net;
using System.Text.RegularExpressions;
using MedMerge.Gateway.Access;
using MedMerge.Testing;
using MedMerge.Gateway.Pages.Shared;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace MedMerge.Gateway.Tests;

/// <summary>Every endpoint against every role and no key, and the documentation's table of them.</summary>
public sealed partial class RoleTests : IDisposable
{
    private const string Anybody = "no key";

    /// <summary>Orleans answers with 403, because the gateway has its dashboard not show its log.</summary>
    private const string HiddenLog = $"GET {OrleansDashboard.Path}/Trace";

    private const string Live = "GET /_blazor", File = "GET /{file}";

    private static readonly List<string> Users = [Anybody, .. Roles.All];

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-gateway-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Every_endpoint_serves_the_documented_role_and_those_that_include_it_and_refuses_the_others()
    {
        await using var app = await LaunchAsync(_folder);
        using var client = RunningGateway.CreateClient(app);
        var documented = (await ReadDocumentedAsync()).ToDictionary();
        foreach (var (request, _) in FindMapped(app).Where(found => found.Request != HiddenLog))
        {
            var least = documented[DocumentedAs(request)];
            foreach (var user in Users)
            {
                var status = await SendAsync(client, request, user);
                var expected = Users.IndexOf(user) >= Users.IndexOf(least)
                    ? "served"
                    : user == Anybody ? $"{HttpStatusCode.Unauthorized}" : $"{HttpStatusCode.Forbidden}";
                var actual = status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden ? $"{status}" : "served";
                Assert.True(expected == actual, $"{request} by {user}: {status}, not {expected}.");
            }
        }
    }

    [Fact]
    public async Task The_documentation_names_every_endpoint_once_under_the_role_that_the_code_asks_for()
    {
        await using var app = await LaunchAsync(_folder);
        var mapped = FindMapped(app).Select(found => (DocumentedAs(found.Request), found.Role)).Distinct().Order();
        Assert.Equal(mapped, (await ReadDocumentedAsync()).Order());
    }

    [Fact]
    public async Task An_endpoint_that_changes_something_asks_for_more_than_a_viewer()
    {
        await using var app = await LaunchAsync(_folder);
        var changing = FindMapped(app).Where(found => !IsReading(found.Request) && !IsOfPages(found.Request));
        Assert.DoesNotContain(changing, found => found.Role == Roles.Viewer);
    }

    [Fact]
    public async Task The_documentation_names_every_action_of_pages_under_the_role_that_the_code_asks_for()
    {
        var text = await System.IO.File.ReadAllTextAsync(Repository.PathTo("docs/operations.md"), Cancellation);
        var documented =
            from line in text.Split('\n')
            let found = ActionRow().Match(line)
            where found.Success
            from name in found.Groups["names"].Value.Split(", ")
            select (name, found.Groups["role"].Value);
        Assert.Equal(PageAction.All.Select(action => (action.Name, action.Role)).Order(), documented.Order());
    }

    [Fact]
    public async Task A_refusal_names_the_role_that_is_missing()
    {
        await using var app = await LaunchAsync(_folder);
        using var client = RunningGateway.CreateClient(app);
        client.DefaultRequestHeaders.Add("X-Api-Key", KeyOf(Roles.Submitter));
        using var refused = await client.DeleteAsync("/api/v1/sweeps/x", Cancellation);
        var answer = await refused.Content.ReadAsStringAsync(Cancellation);
        Assert.Contains("the-submitter has the role submitter; this needs the role operator.", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_authentication_everybody_on_the_machine_is_an_operator()
    {
        await using var app = await RunningGateway.LaunchWithoutClusterAsync(_folder);
        using var client = RunningGateway.CreateClient(app);
        foreach (var (request, _) in await ReadDocumentedAsync())
        {
            var status = await SendAsync(client, request, Anybody);
            Assert.False(status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, $"{request}: {status}.");
        }
    }

    private static Task<WebApplication> LaunchAsync(string folder) => RunningGateway.LaunchWithoutClusterAsync(
        folder,
        [
            .. Roles.All.Select(role => $"--Authentication:ApiKeys:the-{role}:Hash={RunningGateway.Hash(KeyOf(role))}"),
            .. Roles.All.Select(role => $"--Authentication:ApiKeys:the-{role}:Role={role}"),
            "--Authentication:OpenIdConnect:Authority=http://127.0.0.1:9",
            "--Authentication:OpenIdConnect:ClientId=unreachable",
        ]);

    private static string KeyOf(string role) => $"key of the {role}";

    /// <summary>The requests that are served, and whom the code serves: <c>GET /api/v1/sweeps/{id}</c>, <c>viewer</c>.</summary>
    private static List<(string Request, string Role)> FindMapped(WebApplication app) =>
    [
        .. from endpoint in app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
           from request in Describe(endpoint)
           select (request, RoleRequirement.Of(endpoint) ?? Anybody),
    ];

    /// <summary>The documentation names what belongs to Orleans' dashboard, and the pages' connection and files, once.</summary>
    private static string DocumentedAs(string request)
    {
        if (request.StartsWith($"GET {OrleansDashboard.Path}", StringComparison.Ordinal)) return $"GET {OrleansDashboard.Path}";
        if (FilePattern().IsMatch(request)) return File;
        return IsOfPages(request) ? Live : request;
    }

    /// <summary>Over it pages are kept live, and what they change asks for the role of the change (<see cref="UserActions"/>).</summary>
    private static bool IsOfPages(string request) =>
        request.Contains(" /_blazor", StringComparison.Ordinal) || request.Contains(" /_framework/", StringComparison.Ordinal);

    private static IEnumerable<string> Describe(RouteEndpoint endpoint)
    {
        if (endpoint.RoutePattern.RawText == "{**path:file}") return []; // no file: it answers 404
        if (endpoint.Metadata.GetMetadata<ComponentTypeMetadata>() is not null) return [$"GET /{endpoint.RoutePattern.RawText!.Trim('/')}"];
        var methods = endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"];
        var route = "/" + endpoint.RoutePattern.RawText!.Trim('/');
        return methods.Select(method => $"{method} {route}");
    }

    private static bool IsReading(string request) => request.StartsWith("GET ", StringComparison.Ordinal)
                                                    || request.StartsWith("HEAD ", StringComparison.Ordinal);

    private static async Task<HttpStatusCode> SendAsync(HttpClient client, string request, string user)
    {
        var parts = request.Split(' ');
        var path = ParameterPattern().Replace(parts[1], "1");
        using var message = new HttpRequestMessage(new HttpMethod(parts[0]), path);
        if (user != Anybody) message.Headers.Add("X-Api-Key", KeyOf(user));
        using var response = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        return response.StatusCode;
    }

    /// <summary>The rows <c>| role | `GET /path`, … |</c> of the table below <c>### Roles</c>.</summary>
    private static async Task<List<(string Request, string Role)>> ReadDocumentedAsync()
    {
        var text = await System.IO.File.ReadAllTextAsync(Repository.PathTo("docs/operations.md"), Cancellation);
        var section = text.Split("\n### Roles\n")[1].Split("\n### ")[0];
        return
        [
            .. from line in section.Split('\n')
               let cells = line.Split('|', StringSplitOptions.TrimEntries)
               where cells.Length > 2 && Users.Contains(cells[1])
               from Match request in RequestPattern().Matches(line)
               select (request.Groups[1].Value, cells[1]),
        ];
    }

    [GeneratedRegex(@"^\| on pages, (?<role>\w+) \| (?<names>.+) \|$")]
    private static partial Regex ActionRow();

    [GeneratedRegex(@"^(GET|HEAD) /[^{]*\.(css|js|json)(\.gz)?$")]
    private static partial Regex FilePattern();

    [GeneratedRegex("`([A-Z]+ /[^`]*)`")]
    private static partial Regex RequestPattern();

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex ParameterPattern();
}
