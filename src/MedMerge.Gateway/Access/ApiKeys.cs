using System.Net.Http.Headers;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace MedMerge.Gateway.Access;

/// <summary>The keys that are known, by their SHA-256 only: whoever reads the configuration can't use them.</summary>
internal sealed class ApiKeyOptions : AuthenticationSchemeOptions
{
    /// <summary>Whose key, and its SHA-256.</summary>
    public IReadOnlyList<(string Name, byte[] Hash)> Keys { get; set; } = [];
}

/// <summary>
/// Knows a client by the header <c>X-Api-Key</c>. A browser that looks at a page asks its user for the key, as the password of HTTP's basic authentication; that is good for reading
/// only, for a browser sends it along with whatever a page of another site makes it send.
/// </summary>
internal sealed class ApiKeys(IOptionsMonitor<ApiKeyOptions> options, ILoggerFactory loggers, UrlEncoder encoder) : AuthenticationHandler<ApiKeyOptions>(options, loggers, encoder)
{
    /// <summary>The scheme's name.</summary>
    public const string SchemeName = "ApiKey";

    private const string Header = "X-Api-Key";

    /// <summary>Reads the section <c>Authentication:ApiKeys</c>: a name, and the key's SHA-256 in hexadecimal.</summary>
    /// <exception cref="InputException">One is no SHA-256.</exception>
    public static IReadOnlyList<(string Name, byte[] Hash)> Read(IConfiguration configuration) =>
        [.. configuration.GetSection("Authentication:ApiKeys").GetChildren().Select(entry => (entry.Key, Hash(entry)))];

    /// <inheritdoc />
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (SentKey() is not { } sent) return Task.FromResult(AuthenticateResult.NoResult());
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(sent));
        string? name = null;
        foreach (var key in Options.Keys) // all of them, in constant time: how long it takes tells nothing
        {
            if (CryptographicOperations.FixedTimeEquals(hash, key.Hash)) name = key.Name;
        }
        if (name is null) return Task.FromResult(AuthenticateResult.Fail("The key is not known."));
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName)));
    }

    /// <inheritdoc />
    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        await base.HandleChallengeAsync(properties);
        if (Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal)) Response.Headers.Append("WWW-Authenticate", "Basic realm=\"MedMerge\", charset=\"UTF-8\"");
    }

    private string? SentKey()
    {
        if (Request.Headers.TryGetValue(Header, out var sent)) return sent.ToString();
        if (!HttpMethods.IsGet(Request.Method) || !AuthenticationHeaderValue.TryParse(Request.Headers.Authorization, out var basic) || basic.Parameter is not { } encoded
            || !basic.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }
        var decoded = new byte[encoded.Length];
        if (!Convert.TryFromBase64String(encoded, decoded, out var length)) return null;
        var pair = Encoding.UTF8.GetString(decoded, 0, length);
        return pair[(pair.IndexOf(':', StringComparison.Ordinal) + 1)..];
    }

    private static byte[] Hash(IConfigurationSection entry)
    {
        try
        {
            if (Convert.FromHexString(entry.Value ?? "") is { Length: SHA256.HashSizeInBytes } hash) return hash;
        }
        catch (FormatException)
        {
            // told below
        }
        throw new InputException($"Authentication:ApiKeys:{entry.Key} must be the SHA-256 of the key in hexadecimal, 64 digits: `printf %s KEY | sha256sum`.");
    }
}
