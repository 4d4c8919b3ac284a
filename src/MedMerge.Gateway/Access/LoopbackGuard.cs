using System.Net;

namespace MedMerge.Gateway.Access;

/// <summary>Restricts a gateway without authentication to programs on its own machine.</summary>
internal static class LoopbackGuard
{
    private const string DefaultAddress = "http://127.0.0.1:8080";
    private const string AllowedHosts = "AllowedHosts";
    private const string LoopbackHosts = "localhost;127.0.0.1;[::1]";

    /// <summary>Listens on loopback by default, and makes sure that an open gateway listens nowhere else.</summary>
    /// <param name="isOpen">Whether the gateway has no authentication.</param>
    /// <exception cref="InputException">
    /// An address is invalid, or is not loopback although there is no authentication.
    /// </exception>
    public static void Apply(WebApplicationBuilder builder, bool isOpen)
    {
        var addresses = ReadAddresses(builder.Configuration);
        if (addresses.Count == 0) builder.WebHost.UseUrls(DefaultAddress);
        if (!isOpen) return;
        if (addresses.FirstOrDefault(address => !IsLoopback(address)) is { } reachable)
        {
            throw new InputException(
                $"Refusing to start: '{reachable}' can be reached from other machines, and no authentication is configured. " +
                "Set Authentication__ApiKeys__NAME__Hash and __Role, or Authentication__Jwt__Authority and __Audience; " +
                "or listen on 127.0.0.1.");
        }
        builder.Configuration[AllowedHosts] ??= LoopbackHosts; // refuses DNS rebinding: foreign host names that resolve to loopback
    }

    /// <summary>
    /// Refuses requests that pages of other sites send from a browser on this machine. Programs send no origin.
    /// </summary>
    public static Task RefuseOtherSites(HttpContext context, RequestDelegate next)
    {
        if (CrossSiteGuard.HasOwnOrigin(context.Request)) return next(context);
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }

    /// <summary>The addresses to listen on; ports count only where no URLs are configured, as in ASP.NET Core.</summary>
    private static List<string> ReadAddresses(ConfigurationManager configuration)
    {
        var addresses = SplitSetting("urls").ToList();
        if (addresses.Count == 0)
        {
            addresses.AddRange(SplitSetting("http_ports").Select(port => $"http://*:{port}"));
            addresses.AddRange(SplitSetting("https_ports").Select(port => $"https://*:{port}"));
        }
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren();
        addresses.AddRange(endpoints.Select(endpoint => endpoint["Url"]).OfType<string>());
        return addresses;

        string[] SplitSetting(string key) =>
            (configuration[key] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private static bool IsLoopback(string address)
    {
        try
        {
            var parsed = BindingAddress.Parse(address);
            if (parsed.IsUnixPipe || parsed.IsNamedPipe) return true;
            if (parsed.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return true;
            return IPAddress.TryParse(parsed.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip);
        }
        catch (FormatException error)
        {
            throw new InputException($"The address '{address}' can't be understood: {error.Message} Example: {DefaultAddress}.", error);
        }
    }
}
