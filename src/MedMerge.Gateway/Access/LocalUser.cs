using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace MedMerge.Gateway.Access;

/// <summary>
/// Takes everybody for the operator <c>local</c>: where no authentication is configured, only programs on the gateway's own machine
/// reach it.
/// </summary>
internal sealed class LocalUser(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    /// <summary>The authentication scheme's name.</summary>
    public const string SchemeName = "Local";

    private const string Name = "local";

    /// <inheritdoc />
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var user = Users.Create(Name, Roles.Operator, SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(user, SchemeName)));
    }
}
