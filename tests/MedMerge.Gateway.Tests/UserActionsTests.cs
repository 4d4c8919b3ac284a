using System.Security.Claims;
using MedMerge.Gateway.Access;
using MedMerge.Gateway.Pages.Shared;
using MedMerge.Grains;
using MedMerge.Testing;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MedMerge.Gateway.Tests;

/// <summary>What users change from pages: every action against every role.</summary>
public sealed class UserActionsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-gateway-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_change_is_made_by_roles_that_may_in_their_name_and_refused_to_others_and_each_is_logged()
    {
        await using var app = await RunningGateway.LaunchWithoutClusterAsync(_folder);
        using var log = new RecordingLogger();
        app.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);
        var expected = new List<string>();
        foreach (var role in Roles.All)
        {
            var user = Users.Create($"the-{role}", role, "Test");
            var actions = ActionsOf(app, user);
            foreach (var action in PageAction.All)
            {
                string? caller = null;
                var change = actions.RunAsync(action, () => "/x", () =>
                {
                    caller = CallUser.Current;
                    return Task.CompletedTask;
                });
                var mayDo = Roles.AtLeast(action.Role).Contains(role);
                if (mayDo)
                {
                    await change;
                }
                else
                {
                    var refused = await Assert.ThrowsAsync<InputException>(() => change);
                    Assert.Contains(action.Role, refused.Message, StringComparison.Ordinal);
                }
                Assert.Equal(mayDo ? $"the-{role}" : null, caller);
                expected.Add($"the-{role}: {action.Name} on /x: {(mayDo ? 200 : 403)}");
            }
        }
        Assert.Equal(expected, log.Lines.Where(line => line.Category == AuditLog.Category).Select(line => line.Message));
    }

    [Fact]
    public async Task A_change_that_fails_is_logged_with_its_status_in_one_line()
    {
        await using var app = await RunningGateway.LaunchWithoutClusterAsync(_folder);
        using var log = new RecordingLogger();
        app.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);
        var actions = ActionsOf(app, Users.Create("x", Roles.Operator, "Test"));
        await Assert.ThrowsAsync<InputException>(() =>
            actions.RunAsync(PageAction.Skip, () => "/a\nforged: line", () => throw new InputException("No.")));
        var line = Assert.Single(log.Lines, line => line.Category == AuditLog.Category);
        Assert.Equal("x: Skip on /a forged: line: 400", line.Message);
    }

    [Fact]
    public async Task Changes_count_with_the_users_requests()
    {
        await using var app = await RunningGateway.LaunchWithoutClusterAsync(_folder, "--Limits:RequestsPerMinute=2");
        var actions = ActionsOf(app, Users.Create("x", Roles.Operator, "Test"));
        await actions.RunAsync(PageAction.Skip, () => "/a", () => Task.CompletedTask);
        await actions.RunAsync(PageAction.Skip, () => "/a", () => Task.CompletedTask);
        var refused = await Assert.ThrowsAsync<InputException>(() =>
            actions.RunAsync(PageAction.Skip, () => "/a", () => throw new InvalidOperationException("It ran.")));
        Assert.Contains("too much", refused.Message, StringComparison.Ordinal);
        await ActionsOf(app, Users.Create("y", Roles.Operator, "Test")).RunAsync(PageAction.Skip, () => "/a", () => Task.CompletedTask);
    }

    private static UserActions ActionsOf(WebApplication app, ClaimsPrincipal user) => new(
        new OneUser(user),
        app.Services.GetRequiredService<IAuthorizationService>(),
        app.Services.GetRequiredService<ClientRates>(),
        app.Services.GetRequiredService<AuditLog>());

    private sealed class OneUser(ClaimsPrincipal user) : AuthenticationStateProvider
    {
        public override Task<AuthenticationState> GetAuthenticationStateAsync() => Task.FromResult(new AuthenticationState(user));
    }
}
