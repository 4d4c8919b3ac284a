using System.Net;

namespace MedMerge.Gateway.Access;

/// <summary>Without authentication the gateway is for programs on its own machine.</summary>
internal static class LoopbackGuard
{
    private const string Default = "http://127.0.0.1:8080";
    private const string Hosts = "AllowedHosts";

    /// <summary>Listens on loopback where nothing else is configured, and makes sure that an open gateway does nothing else.</summary>
    /// <exception cref="InputException">An address is not loopback and there is no authentication, or it can't be understood.</exception>
    public static void Apply(WebApplicationBuilder builder, bool isOpen)
    {
        var addresses = Addresses(builder.Configuration).ToList();
        if (addresses.Count == 0) builder.WebHost.UseUrls(Default);
        if (!isOpen) return;
        if (addresses.FirstOrDefault(address => !IsLoopback(address)) is { } far)
        {
            throw new InputException($"Refusing to start: '{far}' can be reached from other machines, and no authentication is configured. " +
                                     "Set Authentication__ApiKeys__NAME to the SHA-256 of a key, or Authentication__Jwt__Authority and __Audience; or listen on 127.0.0.1.");
        }
        builder.Configuration[Hosts] ??= "localhost;127.0.0.1;[::1]"; // a page whose name was made to point here is refused
    }

    /// <summary>Refuses what pages of other sites send from a browser on this machine; programs send no origin.</summary>
    public static Task RefuseOtherSites(HttpContext context, RequestDelegate next)
    {
        var origin = context.Request.Headers.Origin.ToString();
        if (origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var site) && site.Authority == context.Request.Host.Value)) return next(context);
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }

    private static IEnumerable<string> Addresses(ConfigurationManager configuration)
    {
        var urls = Split("urls").ToList();
        var ports = urls.Count > 0 ? [] : Split("http_ports").Select(port => $"http://*:{port}").Concat(Split("https_ports").Select(port => $"https://*:{port}"));
        return urls.Concat(ports).Concat(configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"]).OfType<string>());

        string[] Split(string key) => (configuration[key] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private static bool IsLoopback(string address)
    {
        try
        {
            var parsed = BindingAddress.Parse(address);
            return parsed.IsUnixPipe || parsed.IsNamedPipe || parsed.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
                   || (IPAddress.TryParse(parsed.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));
        }
        catch (FormatException error)
        {
            throw new InputException($"The address '{address}' can't be understood: {error.Message} It looks like http://127.0.0.1:8080.", error);
        }
    }
}
