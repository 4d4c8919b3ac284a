using System.Net.Http.Headers;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace MedMerge.Gateway.Access;

/// <summary>The accepted API keys, stored as SHA-256 so that reading the configuration reveals none.</summary>
internal sealed class ApiKeyOptions : AuthenticationSchemeOptions
{
    /// <summary>Each key's owner and its SHA-256.</summary>
    public IReadOnlyList<(string Name, byte[] Hash)> Keys { get; set; } = [];
}

/// <summary>
/// Authenticates clients by the header <c>X-Api-Key</c>. Browsers may send the key as the password of HTTP basic
/// authentication instead, for GET requests only: a browser attaches such credentials to every request, including those
/// that another site's page triggers.
/// </summary>
internal sealed class ApiKeys(
    IOptionsMonitor<ApiKeyOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder) : AuthenticationHandler<ApiKeyOptions>(options, loggers, encoder)
{
    /// <summary>The authentication scheme's name.</summary>
    public const string SchemeName = "ApiKey";

    private const string Header = "X-Api-Key";
    private const string Section = "Authentication:ApiKeys";

    /// <summary>Reads the section <c>Authentication:ApiKeys</c>: each key's owner with its SHA-256 in hexadecimal.</summary>
    /// <exception cref="InputException">A value is not a SHA-256.</exception>
    public static IReadOnlyList<(string Name, byte[] Hash)> Read(IConfiguration configuration) =>
        [.. configuration.GetSection(Section).GetChildren().Select(entry => (entry.Key, ReadHash(entry)))];

    /// <inheritdoc />
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (ReadKey() is not { } sent) return Task.FromResult(AuthenticateResult.NoResult());
        if (FindOwner(sent) is not { } name) return Task.FromResult(AuthenticateResult.Fail("The key is not known."));
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], SchemeName);
        var ticket = new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName);
        return Task.FromResult(AuthenticateResult.Success(ticket));
    }

    /// <inheritdoc />
    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        await base.HandleChallengeAsync(properties);
        var isBrowser = Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal);
        if (isBrowser) Response.Headers.Append("WWW-Authenticate", "Basic realm=\"MedMerge\", charset=\"UTF-8\"");
    }

    /// <summary>Compares with every key, each in constant time, so that timing reveals nothing about them.</summary>
    private string? FindOwner(string sent)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(sent));
        string? owner = null;
        foreach (var (name, known) in Options.Keys)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, known)) owner = name;
        }
        return owner;
    }

    private string? ReadKey()
    {
        if (Request.Headers.TryGetValue(Header, out var sent)) return sent.ToString();
        return HttpMethods.IsGet(Request.Method) ? ReadBasicPassword() : null;
    }

    private string? ReadBasicPassword()
    {
        if (!AuthenticationHeaderValue.TryParse(Request.Headers.Authorization, out var header)) return null;
        var isBasic = header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase);
        if (!isBasic || header.Parameter is not { } encoded) return null;
        var decoded = new byte[encoded.Length];
        if (!Convert.TryFromBase64String(encoded, decoded, out var length)) return null;
        var pair = Encoding.UTF8.GetString(decoded, 0, length);
        return pair[(pair.IndexOf(':', StringComparison.Ordinal) + 1)..];
    }

    private static byte[] ReadHash(IConfigurationSection entry)
    {
        try
        {
            if (Convert.FromHexString(entry.Value ?? "") is { Length: SHA256.HashSizeInBytes } hash) return hash;
        }
        catch (FormatException)
        {
            // reported below
        }
        throw new InputException(
            $"{Section}:{entry.Key} must be the SHA-256 of the key in hexadecimal, 64 digits: `printf %s KEY | sha256sum`.");
    }
}
