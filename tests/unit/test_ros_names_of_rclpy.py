"""The names that programs import from rclpy are all here, module by module."""

from __future__ import annotations

import importlib

import pytest

from robot.ros import borrowed
from robot.ros.context import Context
from robot.ros.duration import Duration
from robot.ros.exceptions import RCLError
from robot.ros.impl.implementation_singleton import rclpy_implementation
from robot.ros.impl.rcutils_logger import SkipFirst, get_filters_from_kwargs
from robot.ros.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data

NAMES = {
    "": """
        Context Future InitContextManager Parameter SignalHandlerOptions create_node get_default_context
        get_global_executor get_rmw_implementation_identifier init install_signal_handlers ok shutdown signals spin
        spin_once spin_until_future_complete try_shutdown uninstall_signal_handlers utilities
        validate_full_topic_name
    """,
    "action": """
        ActionClient ActionServer CancelResponse GoalResponse get_action_client_names_and_types_by_node
        get_action_names_and_types get_action_server_names_and_types_by_node
    """,
    "action.client": "ActionClient ClientGoalHandle SendGoalKWargs",
    "action.graph": "get_action_client_names_and_types_by_node",
    "action.server": """
        ActionServer CancelResponse GoalEvent GoalResponse RESULT_TIMEOUT ServerGoalHandle default_cancel_callback
        default_goal_callback default_handle_accepted_callback
    """,
    "callback_groups": "CallbackGroup MutuallyExclusiveCallbackGroup ReentrantCallbackGroup",
    "client": "BaseClient Client SrvType SrvTypeRequest SrvTypeResponse",
    "clock": """
        BaseClock Clock ClockChange ClockEvent ClockType JumpHandle JumpHandlePreCallbackType JumpThreshold ROSClock
        TimeJump TimeJumpDictionary
    """,
    "clock_type": "ClockType",
    "constants": "S_TO_NS",
    "context": "Context ContextHandle",
    "destroyable": "DestroyableType",
    "duration": "Duration Infinite",
    "endpoint_info": "ActionEndpointInfo EndpointTypeEnum ServiceEndpointInfo TopicEndpointInfo",
    "event_handler": """
        EventHandler IncompatibleTypeInfo PublisherEventCallbacks QoSEventHandler QoSLivelinessChangedInfo
        QoSLivelinessLostInfo QoSMessageLostInfo QoSOfferedDeadlineMissedInfo QoSOfferedIncompatibleQoSInfo
        QoSPublisherEventType QoSPublisherMatchedInfo QoSRequestedDeadlineMissedInfo QoSRequestedIncompatibleQoSInfo
        QoSSubscriptionEventType QoSSubscriptionMatchedInfo SubscriptionEventCallbacks UnsupportedEventTypeError
    """,
    "exceptions": """
        InvalidHandle InvalidNamespaceException InvalidNodeNameException InvalidParameterException
        InvalidParameterTypeException InvalidParameterValueException InvalidServiceNameException
        InvalidTopicNameException NameValidationException NoTypeSupportImportedException NotInitializedException
        ParameterAlreadyDeclaredException ParameterException ParameterImmutableException
        ParameterNotDeclaredException ParameterUninitializedException ROSInterruptException TimeSourceChangedError
    """,
    "executors": """
        AbstractExecutor BaseExecutor ConditionReachedException Executor ExternalShutdownException
        MultiThreadedExecutor ShutdownException
        SingleThreadedExecutor TimeoutException TimeoutObject YieldedCallback _WorkTracker
        await_or_execute
    """,
    "expand_topic_name": "expand_topic_name",
    "experimental.async_publisher": "AsyncPublisher",
    "experimental.async_service": "AsyncService",
    "experimental.async_subscription": "AsyncSubscription",
    "experimental.async_timer": "AsyncTimer",
    "experimental": """
        AsyncClient AsyncClock AsyncNode AsyncPublisher AsyncService AsyncSubscription AsyncTimer AsyncioExecutor
        EventsExecutor
    """,
    "experimental.asyncio": """
        AsyncClient AsyncClock AsyncNode AsyncPublisher AsyncService AsyncSubscription AsyncTimer
    """,
    "experimental.events_executor": "EventsExecutor",
    "guard_condition": "GuardCondition GuardConditionCallbackType",
    "impl.implementation_singleton": "rclpy_implementation",
    "impl.logging_severity": "LoggingSeverity",
    "impl.rcutils_logger": """
        CallerId LoggingFilter Once RcutilsLogger SkipFirst Throttle get_filters_from_kwargs supported_filters
    """,
    "lifecycle": """
        LifecycleNode LifecycleNodeMixin LifecyclePublisher LifecycleState ManagedEntity Node Publisher
        SimpleManagedEntity State TransitionCallbackReturn
    """,
    "lifecycle.managed_entity": "ManagedEntity SimpleManagedEntity TransitionCallbackReturn",
    "lifecycle.node": "LifecycleNode LifecycleNodeMixin LifecycleState TransitionCallbackReturn",
    "lifecycle.publisher": "LifecyclePublisher",
    "logging": """
        LoggingSeverity _root_logger clear_config get_logger get_logger_effective_level get_logger_level
        get_logging_directory get_logging_severity_from_string initialize set_logger_level shutdown
    """,
    "logging_service": "LoggingService",
    "node": """
        BaseNode HIDDEN_NODE_PREFIX MsgType Node NodeNameNonExistentError ParameterInput SrvType SrvTypeRequest
        SrvTypeResponse check_is_valid_msg_type check_is_valid_srv_type
    """,
    "parameter": """
        AllowableParameterValue AllowableParameterValueT PARAMETER_SEPARATOR_STRING Parameter get_parameter_value
        parameter_dict_from_yaml_file parameter_value_to_python
    """,
    "parameter_client": "AsyncParameterClient",
    "parameter_event_handler": "ParameterCallbackHandle ParameterEventCallbackHandle ParameterEventHandler",
    "parameter_service": "ParameterService",
    "publisher": "BasePublisher MsgType Publisher",
    "qos": """
        DeadlineBestAvailable DurabilityPolicy HistoryPolicy InvalidQoSProfileException
        LivelinessLeaseDurationeBestAvailable LivelinessPolicy QoSCompatibility QoSDurabilityPolicy QoSHistoryPolicy
        QoSLivelinessPolicy QoSPolicyEnum QoSPolicyKind QoSPresetProfiles QoSProfile QoSReliabilityPolicy
        ReliabilityPolicy qos_check_compatible qos_policy_name_from_kind qos_profile_action_status_default
        qos_profile_best_available qos_profile_default qos_profile_parameter_events qos_profile_parameters
        qos_profile_rosout_default qos_profile_sensor_data qos_profile_services_default qos_profile_system_default
        qos_profile_unknown
    """,
    "qos_event": "PublisherEventCallbacks QoSEventHandler SubscriptionEventCallbacks",
    "qos_overriding_options": """
        InvalidQosOverridesError QoSOverridingOptions QosCallbackType _declare_qos_parameters
        _get_qos_policy_parameter _override_qos_policy_with_param
    """,
    "serialization": "deserialize_message serialize_message",
    "service": "BaseService Service ServiceCallbackUnion SrvType SrvTypeRequest SrvTypeResponse",
    "service_introspection": "ServiceIntrospectionState",
    "signals": """
        SignalHandlerGuardCondition SignalHandlerOptions get_current_signal_handlers_options install_signal_handlers
        uninstall_signal_handlers
    """,
    "subscription": """
        AsyncGenericSubscriptionCallback BaseSubscription GenericSubscriptionCallback GenericSubscriptionCallbackUnion
        MessageInfo MsgType PublisherGID RCLError Subscription SubscriptionCallbackUnion
    """,
    "subscription_content_filter_options": "ContentFilterOptions",
    "task": "Future Task",
    "time": "CONVERSION_CONSTANT Time",
    "time_source": "CLOCK_TOPIC TimeSource USE_SIM_TIME_NAME",
    "timer": "AsyncTimerCallbackType BaseTimer Rate Timer TimerCallbackType TimerCallbackUnion TimerInfo",
    "topic_endpoint_info": "TopicEndpointInfo TopicEndpointTypeEnum",
    "topic_or_service_is_hidden": "HIDDEN_TOPIC_PREFIX TOPIC_SEPARATOR_STRING topic_or_service_is_hidden",
    "type_description_service": "START_TYPE_DESCRIPTION_SERVICE_PARAM TypeDescriptionService",
    "type_hash": "TypeHash",
    "type_support": """
        Action BaseAction BaseImpl BaseMessage BaseService FeedbackMessage FeedbackT GoalT Msg MsgMetaClass MsgT
        NoTypeSupportImportedException ResultT Srv SrvEventT SrvMetaClass SrvRequestT SrvResponseT
        check_for_type_support
        check_is_valid_msg_type check_is_valid_srv_type
    """,
    "utilities": """
        get_available_rmw_implementations get_default_context get_rmw_implementation_identifier ok remove_ros_args
        shutdown timeout_sec_to_nsec try_shutdown
    """,
    "validate_full_topic_name": "validate_full_topic_name",
    "validate_namespace": "validate_namespace",
    "validate_node_name": "validate_node_name",
    "validate_parameter_name": "validate_parameter_name",
    "validate_topic_name": "TOPIC_SEPARATOR_STRING validate_topic_name",
    "wait_for_message": "wait_for_message",
    "waitable": "NumberOfEntities Waitable",
}

COMPILED = """
    ActionClient ActionGoalHandle ActionServer Client Clock ClockChange ClockEvent ClockType Context Destroyable
    EventHandle EventsExecutor GoalEvent GuardCondition TypeDescriptionService
    InvalidHandle LifecycleStateMachine Node NodeNameNonExistentError NotImplementedError Publisher
    QoSCheckCompatibleResult QoSCompatibility RCLError RCLInvalidROSArgsError RCL_DEFAULT_DOMAIN_ID
    RCUTILS_LOG_SEVERITY RCUtilsError RMWError RMW_DURATION_INFINITE RMW_QOS_DEADLINE_BEST_AVAILABLE
    RMW_QOS_LIVELINESS_LEASE_DURATION_BEST_AVAILABLE Service SignalHandlerOptions Subscription Timer
    TimerCancelledError TransitionCallbackReturnType UnknownROSArgsError UnsupportedEventTypeError WaitSet
    get_current_signal_handlers_options install_signal_handlers rcl_duration_t rcl_publisher_event_type_t
    rcl_subscription_event_type_t rcl_time_point_t rclpy_action_get_rmw_qos_profile rclpy_assert_liveliness
    publisher_event_type_is_supported rclpy_deserialize rclpy_expand_topic_name
    rclpy_get_action_client_names_and_types_by_node
    rclpy_get_action_clients_info_by_action rclpy_get_action_names_and_types
    rclpy_get_action_server_names_and_types_by_node rclpy_get_action_servers_info_by_action
    rclpy_get_client_names_and_types_by_node rclpy_get_clients_info_by_service rclpy_get_servers_info_by_service
    subscription_event_type_is_supported
    rclpy_get_publisher_names_and_types_by_node rclpy_get_publishers_info_by_topic
    rclpy_get_rmw_implementation_identifier rclpy_get_service_names_and_types
    rclpy_get_service_names_and_types_by_node rclpy_get_subscriber_names_and_types_by_node
    rclpy_get_subscriptions_info_by_topic rclpy_get_topic_names_and_types
    rclpy_get_validation_error_for_full_topic_name rclpy_get_validation_error_for_namespace
    rclpy_get_validation_error_for_node_name rclpy_get_validation_error_for_topic_name rclpy_logging_configure
    rclpy_logging_fini rclpy_logging_get_logger_effective_level rclpy_logging_get_logger_level
    rclpy_logging_get_logging_directory rclpy_logging_get_separator_string rclpy_logging_initialize
    rclpy_logging_logger_is_enabled_for rclpy_logging_rcutils_log rclpy_logging_rosout_add_sublogger
    rclpy_logging_rosout_remove_sublogger rclpy_logging_set_logger_level rclpy_logging_severity_level_from_string
    rclpy_logging_shutdown rclpy_qos_check_compatible rclpy_remap_topic_name rclpy_remove_ros_args
    rclpy_resolve_name rclpy_serialize register_sigint_guard_condition rmw_incompatible_type_status_t
    rmw_liveliness_changed_status_t rmw_liveliness_lost_status_t rmw_matched_status_t rmw_message_lost_status_t
    rmw_offered_deadline_missed_status_t rmw_qos_policy_kind_t rmw_qos_profile_t rmw_request_id_t
    rmw_requested_deadline_missed_status_t rmw_requested_qos_incompatible_event_status_t rmw_service_info_t
    service_introspection uninstall_signal_handlers unregister_sigint_guard_condition
"""


@pytest.mark.parametrize("module", NAMES)
def test_a_module_has_the_names_of_rclpys(module: str) -> None:
    found = importlib.import_module(f"robot.ros.{module}".rstrip("."))
    assert [name for name in NAMES[module].split() if not hasattr(found, name)] == []


def test_the_compiled_part_has_the_names_of_rclpys() -> None:
    assert [name for name in COMPILED.split() if not hasattr(rclpy_implementation, name)] == []
    assert [name for name in rclpy_implementation.__all__ if not hasattr(rclpy_implementation, name)] == []


def test_a_profile_goes_through_rmws_form_and_back() -> None:
    profile = QoSProfile(depth=7, deadline=Duration(seconds=2), durability=DurabilityPolicy.TRANSIENT_LOCAL)
    durations = [rclpy_implementation.rcl_duration_t(ns) for ns in (0, 2_000_000_000, 0)]
    made = rclpy_implementation.rmw_qos_profile_t(1, 7, 1, 1, *durations[:2], 0, durations[2], False)
    assert QoSProfile(**made.to_dict()) == profile == QoSProfile(**profile.get_c_qos_profile().to_dict())
    sensor = rclpy_implementation.rmw_qos_profile_t.predefined("qos_profile_sensor_data")
    assert QoSProfile(**sensor.to_dict()) == qos_profile_sensor_data
    result = rclpy_implementation.rclpy_qos_check_compatible(sensor, profile)
    assert result.compatibility == rclpy_implementation.QoSCompatibility.ERROR
    assert "volatile" in result.reason


def test_a_lifecycle_goes_by_numbers_and_by_labels() -> None:
    machine = rclpy_implementation.LifecycleStateMachine()
    assert machine.initialized
    assert (1, "configure", 1, "unconfigured", 10, "configuring") in machine.available_transitions
    machine.trigger_transition_by_label("configure", True)
    machine.trigger_transition_by_id(machine.get_transition_by_label("transition_success"), True)
    assert machine.current_state == (2, "inactive")
    with pytest.raises(RCLError, match="no transition"):
        machine.trigger_transition_by_id(1, True)
    assert len(machine.available_states) == 11
    assert len(machine.transition_graph) == 25


def test_filters_of_log_lines_are_found_by_their_options() -> None:
    assert get_filters_from_kwargs(once=True, throttle_duration_sec=1.0) == ["throttle", "once"]
    assert get_filters_from_kwargs(once=False) == []
    with pytest.raises(TypeError, match="required"):
        get_filters_from_kwargs(throttle_time_source_type=object())
    with pytest.raises(TypeError, match="recognized"):
        get_filters_from_kwargs(twice=True)
    context: dict[str, object] = {}
    SkipFirst.initialize_context(context, skip_first=True)
    assert [SkipFirst.should_log(context) for _ in range(3)] == [False, True, True]


def test_a_line_logged_with_its_place_given_says_that_place(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        rclpy_implementation.rclpy_logging_rcutils_log(20, "its.name", "words", "function", "file.py", 7)
        rclpy_implementation.rclpy_logging_rcutils_log(10, "its.name", "too fine", "function", "file.py", 8)
    [record] = caplog.records
    assert (record.name, record.getMessage(), record.lineno, record.funcName) == ("its.name", "words", 7, "function")


def test_a_command_line_that_is_not_text_is_refused() -> None:
    with pytest.raises(TypeError, match="got 5"):
        Context().init(["--ros-args", 5])  # type: ignore[list-item]
    with pytest.raises(UnicodeEncodeError):
        Context().init(["script.py", "a\udcc3b"])


def test_everything_public_comes_with_a_star() -> None:
    for module in ("qos", "event_handler", "executors", "time", "subscription"):
        found: dict[str, object] = {}
        exec(f"from robot.ros.{module} import *", found)
        assert [name for name in NAMES[module].split() if name not in found] == []


BORROWED = [(module, where, names) for module, table in borrowed.BORROWED.items() for where, names in table.items()]


@pytest.mark.parametrize(("module", "where", "names"), BORROWED)
def test_names_that_rclpys_modules_import_can_be_taken_from_them(module: str, where: str, names: str) -> None:
    found = importlib.import_module(f"robot.ros.{module}")
    for entry in names.split(", "):
        name, _, also = entry.partition(" as ")
        taken = getattr(found, also or name)
        assert getattr(taken, "__name__", name) == name
    with pytest.raises(AttributeError, match="no attribute 'nothing_of_that_name'"):
        found.nothing_of_that_name  # noqa: B018


def test_scripts_take_names_from_where_they_found_them() -> None:
    from robot.ros import executors, node, parameter, publisher, task
    from robot.ros.interfaces import geometry_msgs, rcl_interfaces
    from robot.ros.packages import tf2_ros

    assert node.Publisher is publisher.Publisher and executors.Future is task.Future
    assert node.ParameterDescriptor is rcl_interfaces.msg.ParameterDescriptor
    assert node.SetParametersResult is rcl_interfaces.msg.SetParametersResult
    assert parameter.ParameterType.PARAMETER_STRING == node.ParameterType.PARAMETER_STRING == 4
    assert tf2_ros.TransformStamped is geometry_msgs.msg.TransformStamped


def test_inner_modules_are_there_without_being_imported_by_name() -> None:
    rclpy = importlib.import_module("robot.ros")

    assert rclpy.impl.implementation_singleton.rclpy_implementation is rclpy_implementation
    assert not hasattr(rclpy.impl, "nothing_of_that_name")
